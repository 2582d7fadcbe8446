/** The address after the hash is the place in the Studio: /jobs/training/NAME. */
import { useSyncExternalStore } from "react";

export function parts(): string[] {
  const path = location.hash.replace(/^#\/?/, "");
  return path ? path.split("/").map(decodeURIComponent) : [];
}

let cached = { hash: "", value: [] as string[] };

function snapshot(): string[] {
  if (cached.hash !== location.hash) cached = { hash: location.hash, value: parts() };
  return cached.value;
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

export function useRoute(): string[] {
  return useSyncExternalStore(subscribe, snapshot);
}

export function go(path: string): void {
  location.hash = path;
}
