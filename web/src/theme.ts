/** Light or dark: as the system says, until the person says otherwise. */
import { applyMode, Mode } from "@cloudscape-design/global-styles";

const KEY = "clary.mode";

export function isDark(): boolean {
  const chosen = localStorage.getItem(KEY);
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function toggle(): void {
  const dark = !isDark();
  localStorage.setItem(KEY, dark ? "dark" : "light");
  applyMode(dark ? Mode.Dark : Mode.Light);
}
