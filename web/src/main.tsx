import "@cloudscape-design/global-styles/index.css";
import "./studio.css";
import { applyMode, Mode } from "@cloudscape-design/global-styles";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { dress, isDark } from "./theme";

dress();
applyMode(isDark() ? Mode.Dark : Mode.Light);
const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false } } });
createRoot(document.getElementById("root") as HTMLElement).render(
  <QueryClientProvider client={queries}>
    <App />
  </QueryClientProvider>,
);
