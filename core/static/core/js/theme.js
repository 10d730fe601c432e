// Switches between the system's look, light and dark. The server reads the cookie, so nothing flashes.

const DARK_MEDIA = {
  system: "screen and (prefers-color-scheme: dark)",
  light: "not all",
  dark: "screen",
};
const YEAR_IN_SECONDS = 31536000;

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.querySelector("link[data-dark-tokens]").media = DARK_MEDIA[theme];
}

function rememberTheme(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=${YEAR_IN_SECONDS}; SameSite=Lax${secure}`;
}

for (const group of document.querySelectorAll("[data-theme-switch]")) {
  group.hidden = false;
  group.addEventListener("change", (event) => {
    applyTheme(event.target.value);
    rememberTheme(event.target.value);
  });
}
