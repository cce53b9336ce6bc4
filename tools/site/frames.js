// A widget's page reports its height, and its frame adopts it.
addEventListener("message", ({ source, data }) => {
  const height = Number(data?.frExploreHeight);
  const frame = [...document.querySelectorAll("iframe")].find((one) => one.contentWindow === source);
  if (frame && height > 0 && height < 10000) frame.style.height = `${Math.ceil(height) + 2}px`; // two borders
});
