"use strict";
const root = document.documentElement;
root.dataset.script = "";

/* Light or dark: what the system says until the reader chooses. */
const theme = document.getElementById("theme");
const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
showTheme();

/* Prompts: changes, before or after. */
for (const views of document.querySelectorAll("[data-views]")) {
  const show = () => {
    const chosen = views.querySelector("input:checked").value;
    for (const view of views.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== chosen;
  };
  views.addEventListener("change", show);
  show();
}

/* The gallery: filters, pages, one tab stop and arrow keys over all pages. */
const PAGE_SIZE = 12;
const gallery = document.querySelector("[data-gallery]");
if (gallery) {
  const filters = document.querySelector("[data-filters]");
  const pager = document.querySelector("[data-pager]");
  const cards = [...gallery.children];
  let matches = cards;
  let page = 0;
  const pages = () => Math.max(1, Math.ceil(matches.length / PAGE_SIZE));
  const stopAt = (card) => {
    for (const each of cards) each.tabIndex = each === card ? 0 : -1;
  };
  const turnTo = (number) => {
    page = number;
    const shown = new Set(matches.slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
    for (const card of cards) card.hidden = !shown.has(card);
    const [back, forth] = pager.querySelectorAll("button");
    back.disabled = page === 0;
    forth.disabled = page === pages() - 1;
    pager.hidden = pages() === 1;
    pager.querySelector("output").value = `Page ${page + 1} of ${pages()}`;
    stopAt(matches[page * PAGE_SIZE]);
  };
  const filter = () => {
    const wanted = new FormData(filters);
    const differs = (card) => ["change", "label", "split", "task"].some((name) => wanted.get(name) && wanted.get(name) !== card.dataset[name]);
    matches = cards.filter((card) => !differs(card));
    for (const each of document.querySelectorAll("[data-blur]")) each.classList.toggle("blurred", wanted.has("blur"));
    filters.elements.shown.value = `${matches.length} sample${matches.length === 1 ? "" : "s"}`;
    turnTo(0);
  };
  const columns = () => getComputedStyle(gallery).gridTemplateColumns.split(" ").length;
  const moves = {
    ArrowRight: (at) => at + 1,
    ArrowLeft: (at) => at - 1,
    ArrowDown: (at) => at + columns(),
    ArrowUp: (at) => at - columns(),
    Home: () => 0,
    End: (at, last) => last,
  };
  filters.addEventListener("change", filter);
  filters.addEventListener("submit", (event) => event.preventDefault());
  pager.addEventListener("click", (event) => {
    const button = event.target.closest("[data-turn]");
    if (!button) return;
    turnTo(page + Number(button.dataset.turn));
    gallery.scrollIntoView();
  });
  gallery.addEventListener("keydown", (event) => {
    const at = matches.indexOf(event.target);
    if (at < 0 || !(event.key in moves)) return;
    event.preventDefault();
    const last = matches.length - 1;
    const place = Math.min(Math.max(moves[event.key](at, last), 0), last);
    const number = Math.floor(place / PAGE_SIZE);
    if (number !== page) turnTo(number);
    stopAt(matches[place]);
    matches[place].focus();
  });
  filter();
}

/* A click or Enter shows the whole of a long text, and a blurred image. */
document.addEventListener("click", (event) => {
  if (String(getSelection())) return;
  event.target.closest(".clamped")?.classList.toggle("unfolded");
  event.target.closest(".blurred .pictures")?.closest("li").classList.toggle("revealed");
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  if (event.target.matches(".clamped")) event.target.classList.toggle("unfolded");
  if (event.target.matches(".blurred li")) event.target.classList.toggle("revealed");
});

/* On paper nothing can be opened. */
const closed = [];
addEventListener("beforeprint", () => {
  closed.push(...document.querySelectorAll("details:not([open])"));
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of closed.splice(0)) each.open = false;
});
