// All pages work without this. It shows times in the reader's zone, moves in tables by keys, chooses
// the theme, and shows what is new.
"use strict";

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
const withYear = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const ofThisYear = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime()) || time.title) continue;
    time.title = `${withYear.format(at)} in ${here}, ${time.textContent}`;
    const isOfThisYear = at.getFullYear() === new Date().getFullYear();
    time.textContent = (isOfThisYear ? ofThisYear : withYear).format(at);
  }
}

function chooseTheme() {
  const button = document.getElementById("theme");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
  });
}

// j and k move, x chooses, Enter follows the link that has the focus. The rows are asked for each
// time: new ones may have come.
function moveByKeys() {
  const rows = () => [...document.querySelectorAll("#rows tbody tr")];
  const go = (step) => {
    const all = rows();
    const at = all.findIndex((row) => row.classList.contains("current"));
    const to = at < 0 ? 0 : at + step;
    if (to < 0 || to >= all.length) return;
    if (at >= 0) all[at].classList.remove("current");
    all[to].classList.add("current");
    const link = all[to].querySelector("a");
    if (link) link.focus({ preventScroll: true });
    all[to].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input:not([type=checkbox], [type=radio]), select, textarea");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const current = document.querySelector("#rows tr.current");
    if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "x" && current) current.querySelector("input[type=checkbox]")?.click();
    else return;
    event.preventDefault();
  });
}

function showBulk() {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  const all = document.getElementById("all");
  const boxes = () => [...document.querySelectorAll("#rows tbody input[type=checkbox]")];
  const update = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    bulk.disabled = chosen === 0;
    bulk.querySelector("legend").textContent = chosen === 1 ? "The chosen one is" : `The ${chosen} chosen ones are`;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    update();
  });
  document.getElementById("rows").addEventListener("change", (event) => {
    if (event.target !== all) update();
  });
  update();
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function refreshBell() {
  const bell = document.getElementById("bell");
  const found = bell && (await fetched("/bell/menu"));
  const menu = found?.getElementById("bell-menu");
  if (!menu) return;
  showTimes(menu);
  document.getElementById("bell-menu").replaceWith(menu);
  const unread = document.getElementById("unread");
  unread.textContent = menu.dataset.unread;
  unread.hidden = menu.dataset.unread === "0";
  bell.querySelector("summary").setAttribute("aria-label", `What is new: ${menu.dataset.unread} unread`);
}

// What is new comes to where it belongs, and nothing else moves.
async function refreshPage() {
  if (!document.querySelector("[data-live]")) return;
  const found = await fetched(location.href);
  if (!found) return;
  showTimes(found);
  const rows = document.querySelector("[data-live=rows]");
  if (rows) {
    const known = new Set([...rows.rows].map((row) => row.dataset.key));
    const all = [...(found.querySelector("[data-live=rows]")?.rows ?? [])];
    for (const row of all.filter((row) => !known.has(row.dataset.key)).reverse()) {
      row.classList.add("new");
      rows.prepend(row);
    }
  }
  for (const part of document.querySelectorAll("[data-live=whole]")) {
    const other = found.getElementById(part.id);
    if (other && other.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) {
      part.className = other.className;
      part.replaceChildren(...other.childNodes);
    }
  }
}

// A part of an address: no step to the directory above, as a part that is `..` would be.
function part(text) {
  return (/^~*\.\.?$/.test(text) ? "~" : "") + encodeURIComponent(text);
}

function listen() {
  const news = document.getElementById("news");
  if (!news || !window.EventSource) return;
  let count = 0;
  let waiting = 0;
  const refresh = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      refreshBell();
      refreshPage();
    }, 300);
  };
  const open = () => {
    // Something may have happened since the connection before this one.
    if (document.body.dataset.live === "no") refresh();
    document.body.dataset.live = "yes";
  };
  const told = (event) => {
    const happened = JSON.parse(event.data);
    count += 1;
    const link = document.createElement("a");
    const { source, job_id: jobId } = happened.job;
    link.href = `/anomalies/${part(source)}/${part(jobId)}`;
    link.textContent = count === 1 ? `${happened.client}: ${happened.summary}` : `${count} new anomalies, the last on ${happened.client}`;
    if (count > 1) link.href = "/anomalies?status=not_reviewed";
    news.className = `news shown ${happened.severity}`;
    news.replaceChildren(link);
    refresh();
  };
  let events = null;
  // A browser has six connections to a service: pages that nobody looks at have none.
  const listenWhileSeen = () => {
    if (document.hidden) {
      events?.close();
      events = null;
      document.body.dataset.live = "no";
    } else if (!events) {
      events = new EventSource("/api/v1/events");
      events.addEventListener("open", open);
      events.addEventListener("error", () => (document.body.dataset.live = "no"));
      events.addEventListener("anomaly", told);
      events.addEventListener("news", refresh);
      events.addEventListener("missed", refresh);
    }
  };
  document.addEventListener("visibilitychange", listenWhileSeen);
  addEventListener("pagehide", () => {
    events?.close();
    events = null;
  });
  listenWhileSeen();
}

// What is opened from the bell is read.
function markRead() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-read]");
    if (link) navigator.sendBeacon(`/bell/${link.dataset.read}/read`);
  });
  document.addEventListener("click", (event) => {
    const bell = document.getElementById("bell");
    if (bell?.open && !bell.contains(event.target)) bell.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const bell = document.getElementById("bell");
    if (event.key !== "Escape" || !bell?.open) return;
    bell.open = false;
    bell.querySelector("summary").focus();
  });
}

// A backtest that runs: how far it is, and what it found once it is done.
function followBacktest() {
  const backtest = document.getElementById("backtest");
  if (!backtest || backtest.dataset.state !== "running") return;
  const follow = async () => {
    const answer = await fetch(`/api/v1/backtests/${backtest.dataset.id}`).catch(() => null);
    if (answer && answer.ok) {
      const { state, done, of_at_most: most } = await answer.json();
      if (state !== "running") return location.reload();
      const bar = backtest.querySelector("progress");
      bar.max = Math.max(most, 1);
      bar.value = done;
      backtest.querySelector(".count").textContent = `${done} of at most ${most} records`;
    }
    return setTimeout(follow, 1000);
  };
  setTimeout(follow, 300);
}

showTimes(document);
chooseTheme();
moveByKeys();
showBulk();
followBacktest();
listen();
markRead();
