// What Generate costs, asked of the provider when the server does not know it yet: once for rows of one shape.
import { api, few, fragment } from "./api.js";
import { place } from "./rows.js";

const shapes = () => {
  const found = new Map();
  for (const quote of document.querySelectorAll("[data-unquoted]")) if (!found.has(quote.dataset.unquoted)) found.set(quote.dataset.unquoted, quote.closest("tr[data-row]"));
  return [...found.values()];
};

/** The server keeps what it was told, so the rows are drawn again by it. Without an answer they stay as they are. */
export async function askPrices() {
  const rows = shapes();
  if (!rows.length) return;
  await few(rows, 2, row => api("GET", `/api/rows/${row.dataset.row}/quote`));
  const body = await fragment(location.pathname + location.search).catch(() => null);
  for (const fresh of body?.querySelectorAll("tr[data-row]") ?? []) place(fresh);
}
