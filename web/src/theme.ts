/** Light or dark: as the system says, until the person says otherwise. */
import { applyTheme } from "@cloudscape-design/components/theming";
import { applyMode, Mode } from "@cloudscape-design/global-styles";

const ACCENT = { light: "#0f766e", dark: "#5eead4" };
const STRONG = { light: "#115e59", dark: "#99f6e4" };

/** Our own colour on links, buttons and what is chosen. */
export function dress(): void {
  applyTheme({
    theme: {
      tokens: {
        colorTextLinkDefault: ACCENT,
        colorTextLinkHover: STRONG,
        colorTextAccent: ACCENT,
        colorBackgroundButtonPrimaryDefault: ACCENT,
        colorBackgroundButtonPrimaryHover: STRONG,
        colorBorderButtonNormalDefault: ACCENT,
        colorTextButtonNormalDefault: ACCENT,
        colorBorderItemFocused: ACCENT,
        colorBackgroundSegmentActive: ACCENT,
      },
    },
  });
}

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
