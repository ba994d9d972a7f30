// What makes the page live. Without it the page is whole, and as old as it says.
"use strict";

(() => {
  const main = document.getElementById("main");
  const live = document.getElementById("live");
  const asof = document.getElementById("asof");
  let stream = null;
  let retry = 0;
  let path = document.body.dataset.stream;
  let has = document.body.dataset.has;

  // ---- What is shown becomes what the server sent, and keeps where the reader is: nodes that are the same stay.

  // isOurs tells what grid sets, of which the server does not know.
  const isOurs = (node, name) => name === "tabindex" && node.nodeName === "TD" || name === "role" && node.nodeName === "TABLE";

  function patch(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
      from.replaceWith(to.cloneNode(true));
      return;
    }
    if (from.nodeType === Node.TEXT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.isEqualNode(to)) return;
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !isOurs(from, name)) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    patchChildren(from, to);
  }

  function patchChildren(from, to) {
    const old = [...from.childNodes];
    const wanted = [...to.childNodes];
    wanted.forEach((node, i) => {
      if (old[i]) patch(old[i], node);
      else from.append(node.cloneNode(true));
    });
    old.slice(wanted.length).forEach((node) => node.remove());
  }

  function show(html) {
    const focused = document.activeElement;
    const template = document.createElement("template");
    template.innerHTML = html;
    patchChildren(main, template.content);
    title();
    grid();
    if (focused && focused !== document.body && !focused.isConnected) main.focus({ preventScroll: true });
  }

  function title() {
    const root = main.querySelector("[data-title]");
    if (root) document.title = root.dataset.title;
  }

  // ---- The stream. A page that nobody looks at has none.

  function say(state, word) {
    live.dataset.live = state;
    live.textContent = word;
  }

  function open() {
    close();
    if (document.hidden) return;
    const address = path + (path.includes("?") ? "&" : "?") + "has=" + encodeURIComponent(has);
    stream = new EventSource(address);
    stream.addEventListener("open", () => { retry = 0; say("on", "Live,"); });
    stream.addEventListener("same", (event) => { asof.textContent = event.data; });
    stream.addEventListener("page", (event) => {
      const end = event.data.indexOf("\n");
      asof.textContent = event.data.slice(0, end);
      has = event.lastEventId;
      show(event.data.slice(end + 1));
    });
    stream.addEventListener("error", () => {
      if (stream && stream.readyState === EventSource.CONNECTING) {
        // The server ends streams now and then. One that comes back soon is nothing to tell of.
        const ended = stream;
        setTimeout(() => { if (ended === stream && ended.readyState !== EventSource.OPEN) say("off", "Not live, as of"); }, 5000);
        return;
      }
      say("off", "Not live, as of");
      if (stream) {
        close();
        retry = Math.min(retry + 1, 6);
        setTimeout(() => { if (!stream) open(); }, 500 * 2 ** retry);
      }
    });
  }

  function close() {
    if (stream) stream.close();
    stream = null;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
      say("off", "As of");
    } else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });

  // ---- The filter shows what is typed while it is typed; the address follows.

  let typing = 0;

  function filter(form) {
    const values = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) values.set(name, value.trim());
    const query = values.toString();
    const address = form.getAttribute("action") + (query ? "?" + query : "");
    history.replaceState(null, "", address);
    path = "/events" + address;
    has = "";
    open();
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-live-form]");
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => filter(form), event.target.nodeName === "SELECT" ? 0 : 200);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-live-form]");
    if (!form) return;
    event.preventDefault();
    clearTimeout(typing);
    filter(form);
  });

  // ---- The matrix by keyboard: one of its cells is in the order of tabs, arrows lead to the others.

  const told = () => document.getElementById("told");

  function grid() {
    const table = main.querySelector("[data-grid]");
    if (!table) return;
    if (!table.hasAttribute("role")) table.setAttribute("role", "grid");
    if (!table.querySelector("td[tabindex='0']")) {
      const first = table.tBodies[0].rows[0] && table.tBodies[0].rows[0].cells[2];
      if (first) first.tabIndex = 0;
    }
  }

  function namesOf(cell) {
    const table = cell.closest("table");
    const names = table.tHead.rows[table.tHead.rows.length - 1];
    return { row: cell.parentNode.cells[0].querySelector("a"), column: names.cells[cell.cellIndex].querySelector("a") };
  }

  function tell(cell) {
    const { row, column } = namesOf(cell);
    const state = cell.querySelector("b");
    const rest = cell.lastChild.textContent.trim();
    if (told()) told().textContent = row.textContent + " on " + column.querySelector("span").textContent + ": " + state.textContent + (rest ? ", " + rest : "");
  }

  function cellOf(event) {
    const cell = event.target.closest && event.target.closest("[data-grid] tbody td");
    return cell && cell.cellIndex > 1 ? cell : null;
  }

  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -1e6], End: [0, 1e6] };

  document.addEventListener("keydown", (event) => {
    const cell = cellOf(event);
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") return follow(cell);
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const rows = cell.closest("tbody").rows;
    const row = rows[Math.max(0, Math.min(cell.parentNode.rowIndex - rows[0].rowIndex + move[0], rows.length - 1))];
    const next = row.cells[Math.max(2, Math.min(cell.cellIndex + move[1], row.cells.length - 1))];
    if (!next || next.cellIndex < 2) return;
    cell.removeAttribute("tabindex");
    next.tabIndex = 0;
    next.focus();
  });
  document.addEventListener("focusin", (event) => { const cell = cellOf(event); if (cell) tell(cell); });
  document.addEventListener("mouseover", (event) => { const cell = cellOf(event); if (cell) tell(cell); });
  document.addEventListener("click", (event) => { const cell = cellOf(event); if (cell) follow(cell); });

  // follow leads to the Canary, with the agents of that column alone.
  function follow(cell) {
    const { row, column } = namesOf(cell);
    const group = new URL(column.href).searchParams.get("agent");
    location.href = row.href + "?agent=" + encodeURIComponent(group || column.querySelector("span").textContent);
  }

  document.documentElement.classList.add("scripted"); // the filter needs no button
  title();
  grid();
  open();
})();
