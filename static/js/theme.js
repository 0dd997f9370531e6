// Runs before the first paint, so it is a plain script: a remembered theme must not flash.
(() => {
  const root = document.documentElement;
  const order = ["auto", "light", "dark"];
  const icons = { auto: "auto", light: "sun", dark: "moon" };
  const words = { auto: "as the system", light: "light", dark: "dark" };
  const read = () => { try { return localStorage.getItem("press:theme") || "auto"; } catch { return "auto"; } };
  const keep = theme => { try { localStorage.setItem("press:theme", theme); } catch { /* private mode: for this page only */ } };
  let theme = order.includes(read()) ? read() : "auto";

  const wear = () => { if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme; };
  const say = () => document.querySelectorAll("[data-theme-toggle]").forEach(button => {
    button.title = `Theme: ${words[theme]}`;
    button.setAttribute("aria-label", button.title);
    button.querySelector("use").setAttribute("href", `#i-${icons[theme]}`);
  });

  wear();
  addEventListener("DOMContentLoaded", say);
  addEventListener("click", event => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    theme = order[(order.indexOf(theme) + 1) % order.length];
    wear(); keep(theme); say();
  });
  addEventListener("storage", event => { if (event.key === "press:theme") { theme = read(); wear(); say(); } });
})();
