import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page is served by Clary itself; the wheel carries what is built here.
export default defineConfig({
  plugins: [react()],
  build: { outDir: "../src/clary/studio", emptyOutDir: true, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 2500 },
});
