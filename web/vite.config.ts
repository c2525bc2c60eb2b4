import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/**
 * The console is static: `vite build --config web/vite.config.ts` writes `web/dist`, which S3 behind CloudFront and the
 * local static server hand out under a strict content security policy. Nothing is inlined, so that `script-src 'self'`
 * and `style-src 'self'` suffice.
 */
export default defineConfig(({ command }) => {
  // Also where tests build it: React's development build is half as big again, and not what people get.
  if (command === "build") process.env.NODE_ENV = "production";
  return {
    root: import.meta.dirname,
    plugins: [react()],
    build: {
      outDir: "dist",
      emptyOutDir: true,
      assetsInlineLimit: 0,
      // Module preload is native everywhere that the console supports; the polyfill would only cost octets.
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  };
});
