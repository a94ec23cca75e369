// All pages work without this. It shows times in the reader's zone, moves in tables by keys, chooses
// the theme, and tells what is new.
"use strict";

function showTimes() {
  const style = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  const format = new Intl.DateTimeFormat(undefined, style);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = `${time.textContent} (${zone} here)`;
    time.textContent = format.format(at);
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

function moveByKeys() {
  const table = document.getElementById("rows");
  if (!table) return;
  const rows = [...table.tBodies[0].rows];
  let at = -1;
  const go = (to) => {
    if (to < 0 || to >= rows.length) return;
    if (at >= 0) rows[at].classList.remove("current");
    at = to;
    rows[at].classList.add("current");
    rows[at].scrollIntoView({ block: "nearest" });
    const link = rows[at].querySelector("a");
    if (link) link.focus({ preventScroll: true });
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") go(at + 1);
    else if (event.key === "k") go(at - 1);
    else if (event.key === "x" && at >= 0) {
      const box = rows[at].querySelector("input[type=checkbox]");
      if (box) box.click();
    } else return;
    event.preventDefault();
  });
}

function showBulk() {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  const boxes = [...document.querySelectorAll("#rows input[type=checkbox]")];
  const update = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    bulk.disabled = chosen === 0;
    bulk.classList.toggle("active", chosen > 0);
    bulk.querySelector("legend").textContent = chosen === 1 ? "The chosen one is" : `The ${chosen} chosen ones are`;
  };
  for (const box of boxes) box.addEventListener("change", update);
  update();
}

function listen() {
  const news = document.getElementById("news");
  if (!news || !window.EventSource) return;
  const unread = document.getElementById("unread");
  let count = 0;
  const events = new EventSource("/api/v1/events");
  events.addEventListener("anomaly", (event) => {
    const happened = JSON.parse(event.data);
    count += 1;
    const link = document.createElement("a");
    const { source, job_id: jobId } = happened.job;
    link.href = `/anomalies/${encodeURIComponent(source)}/${encodeURIComponent(jobId)}`;
    link.textContent = count === 1 ? `${happened.client}: ${happened.summary}` : `${count} new anomalies, the last on ${happened.client}`;
    if (count > 1) link.href = "/anomalies?status=not_reviewed";
    news.className = `news ${happened.severity}`;
    news.replaceChildren(link);
    news.hidden = false;
    if (unread) {
      const before = Number.parseInt(unread.textContent, 10) || 0;
      unread.textContent = String(before + 1);
      unread.hidden = false;
    }
  });
  addEventListener("pagehide", () => events.close());
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

showTimes();
chooseTheme();
moveByKeys();
showBulk();
followBacktest();
listen();
