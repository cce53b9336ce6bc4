// Keeps what was loaded, so that visited pages open again without a network: a file of shared/ is named by its content
// and never changes; everything else comes from the network while there is one.
const CACHE = "fr-explore-site";

async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept && new URL(request.url).pathname.includes("/shared/")) return kept;
  try {
    const found = await fetch(request);
    if (found.ok) await cache.put(request, found.clone());
    return found;
  } catch (problem) {
    if (kept) return kept;
    throw problem;
  }
}

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(location.origin))
    event.respondWith(answer(event.request));
});
