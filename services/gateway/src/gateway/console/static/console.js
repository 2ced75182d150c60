// Keyboard, clocks that count down, drawer, menu, charts. No page needs it to be read.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  // The reader's time zone, for the next page.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes("kezhi_tz=" + encodeURIComponent(zone))) {
    const known = document.cookie.includes("kezhi_tz=");
    document.cookie = "kezhi_tz=" + encodeURIComponent(zone) + "; path=/; max-age=31536000; samesite=lax";
    if (!known && $("time") && document.cookie.includes("kezhi_tz=")) location.reload();
  }
  document.cookie = "kezhi_said=; path=/; max-age=0; samesite=lax";

  // Clocks: the words come from the page, so that they are translated in one place.
  const words = JSON.parse(document.body.dataset.words || "{}");
  const put = (text, value) => text.replace(/%\((?:t|n)\)s/, value);
  const unit = (name, n) => put(words["%(n)s " + name], n);
  const span = (ms) => {
    const all = Math.floor(Math.abs(ms) / 60000), d = Math.floor(all / 1440), h = Math.floor((all % 1440) / 60), m = all % 60;
    if (d) return unit("d", d) + (h && d < 10 ? " " + unit("h", h) : "");
    if (h) return unit("h", h) + (m ? " " + unit("min", m) : "");
    return unit("min", m);
  };
  const shift = Date.parse(document.body.dataset.now || "") - Date.now() || 0; // the house's clock, not the desk's
  const tick = () => $$("[data-due]").forEach((left) => {
    const ms = Date.parse(left.dataset.due) - Date.now() - shift;
    left.textContent = put(words[ms < 0 ? "overdue by %(t)s" : "%(t)s left"], span(ms));
    const chip = left.closest(".chip");
    if (ms < 0 && chip && !chip.classList.contains("bad")) { chip.classList.remove("calm", "info", "warn"); chip.classList.add("bad"); }
  });
  if (words["%(n)s d"]) setInterval(tick, 20000);

  // Tips stay inside the window; Escape shuts them.
  const place = (clock) => {
    clock.classList.remove("shut");
    const tip = $(".tip", clock);
    if (!tip) return;
    // Fixed to the window: a table that scrolls sideways would cut it off.
    const at = $("button", clock).getBoundingClientRect();
    tip.style.position = "fixed";
    tip.style.left = tip.style.top = "0px";
    const size = tip.getBoundingClientRect();
    tip.style.left = Math.max(8, Math.min(at.left, innerWidth - size.width - 8)) + "px";
    tip.style.top = (at.bottom + 6 + size.height > innerHeight && at.top > size.height + 14 ? at.top - size.height - 6 : at.bottom + 6) + "px";
  };
  ["mouseover", "focusin"].forEach((kind) => document.addEventListener(kind, (event) => {
    const clock = event.target.closest?.(".clock");
    if (clock) place(clock);
  }));

  addEventListener("scroll", () => $$(".clock:not(.shut)").forEach((clock) => { if (clock.matches(":hover, :focus-within")) place(clock); }), { passive: true, capture: true });

  // Menu on narrow windows; open <details> menus close when one leaves them.
  document.addEventListener("click", (event) => {
    const menu = event.target.closest("[data-menu]"), rail = $("#rail");
    if (menu && rail) { const open = rail.classList.toggle("open"); menu.setAttribute("aria-expanded", open); if (open) $("a", rail)?.focus(); }
    else if (rail && !event.target.closest("#rail")) { rail.classList.remove("open"); $("[data-menu]")?.setAttribute("aria-expanded", "false"); }
    $$("[data-menu-details][open]").forEach((details) => { if (!details.contains(event.target)) details.open = false; });
    if (!event.target.closest(".find")) shut();
    if (event.target.closest("[data-close]") || event.target === $("#drawer")) $("#drawer")?.close();
  });

  // Search box: Ctrl-K, arrows through what it found.
  const find = $("#find"), found = $("#found");
  const shut = () => { if (found) { found.hidden = true; find.setAttribute("aria-expanded", "false"); } };
  const show = () => { found.hidden = false; find.setAttribute("aria-expanded", "true"); };
  document.addEventListener("htmx:afterSwap", (event) => { if (event.target === found) find.value.trim() ? show() : shut(); });
  find?.addEventListener("focus", () => { if (found.innerHTML.trim() && find.value.trim()) show(); });

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); find?.focus(); find?.select(); return; }
    if (event.key === "Escape") {
      $$(".clock").forEach((clock) => clock.classList.add("shut"));
      $$("[data-menu-details][open]").forEach((details) => { details.open = false; $("summary", details).focus(); });
      if (found && !found.hidden) { shut(); find.focus(); }
      if ($("#rail.open")) { $("#rail").classList.remove("open"); $("[data-menu]").focus(); }
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (found && !found.hidden && event.target.closest(".find")) {
      const stops = [find, ...$$("a", found)], next = stops[stops.indexOf(document.activeElement) + step];
      if (next) { event.preventDefault(); next.focus(); }
      return;
    }
    // Rows of a table: arrows go from one row's first link to the next one's.
    if (event.target.matches("input, select, textarea, [contenteditable]") || event.altKey) return;
    const rows = $$("table[data-rows] tbody tr").map((row) => $("a", row)).filter(Boolean);
    if (!rows.length) return;
    const at = rows.indexOf(document.activeElement.closest("tr")?.querySelector("a"));
    if (at < 0 && document.activeElement !== document.body && !document.activeElement.matches("main")) return;
    const next = rows[at + step] || (at < 0 ? rows[0] : null);
    if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({ block: "nearest" }); }
  });

  // Drawer: opens when its content has come, takes the focus, gives it back.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "drawer-body") {
      const drawer = $("#drawer");
      if (!drawer.open) drawer.showModal();
      ($("[autofocus], input:not([type=hidden]), select, textarea", event.target) || $("[data-close]", drawer)).focus();
    }
  });
  // A problem met in the drawer is shown in the drawer.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const drawer = $("#drawer");
    if (event.detail.xhr.status >= 400 && drawer?.open && event.detail.target.id === "problems") {
      const place = $("[data-problems]", drawer) || drawer.querySelector("#drawer-body").insertAdjacentElement("afterbegin", document.createElement("div"));
      place.setAttribute("data-problems", "");
      event.detail.target = place;
    }
  });
  document.addEventListener("htmx:sendError", () => say(document.documentElement.lang === "en" ? "The gateway can't be reached." : "无法连接网关。"));

  // What was done, said for some seconds.
  let saying;
  const say = (text) => { const said = $("#said"); if (!said) return; said.textContent = text; clearTimeout(saying); saying = setTimeout(() => { said.textContent = ""; }, 6000); };
  document.addEventListener("said", (event) => say(event.detail.value));
  if ($("#said")?.textContent.trim()) say($("#said").textContent.trim());

  // One click, one request.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post" || event.target.matches("[hx-post]")) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => $$("form[data-sent]").forEach((form) => delete form.dataset.sent));
  document.addEventListener("change", (event) => { if (event.target.matches("[data-submit]")) event.target.form.requestSubmit(); });

  // Charts: <div class="chart" role="img" aria-label="…" data-chart='{"categories": […], "series": […]}'>, its table beside it;
  // `across` lays bars of long names on their side, the first on top.
  // No name of few may be left out: long ones are cut short beside their bars, broken into lines beneath them.
  const room = ({ across, categories }, width) => across
    ? { interval: 0, width: Math.min(150, width / 3), overflow: "truncate" }
    : categories.length < 5 && { interval: 0, width: width / (categories.length + 1), overflow: "break" };
  const chart = (place) => {
    if (!window.echarts || place.dataset.drawn) return;
    place.dataset.drawn = "1";
    const asked = JSON.parse(place.dataset.chart), style = getComputedStyle(document.documentElement);
    const colours = ["--accent", "--warn", "--info", "--bad"].map((name) => style.getPropertyValue(name).trim());
    const drawn = echarts.init(place, null, { renderer: "canvas" });
    const right = asked.series.some((one) => one.right);
    const many = (value) => Number(value).toLocaleString(document.documentElement.lang);
    drawn.setOption({
      animation: false, color: colours, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 8, right: asked.across ? 20 : 8, top: 30, bottom: 4, containLabel: true },
      legend: { top: 0, right: 0, itemWidth: 12, itemHeight: 8, textStyle: { color: "#566370" } },
      // Rich text: the HTML kind of tooltip would need inline styles, which our policy forbids.
      tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: many },
      [asked.across ? "yAxis" : "xAxis"]: { type: "category", data: asked.categories, inverse: !!asked.across, axisTick: { show: false }, axisLine: { onZero: !asked.across, lineStyle: { color: "#cdd4da" } }, axisLabel: { color: "#566370", ...room(asked, place.clientWidth) } },
      [asked.across ? "xAxis" : "yAxis"]: [{ type: "value", splitNumber: 3, splitLine: { lineStyle: { color: "#eef1f3" } }, axisLabel: { color: "#566370", formatter: many } }]
        .concat(right ? [{ type: "value", splitNumber: 3, splitLine: { show: false }, axisLabel: { color: "#566370", formatter: many }, minInterval: 1 }] : []),
      series: asked.series.map((one) => ({ name: one.name, type: one.type || "bar", data: one.data, ...(!asked.across && { yAxisIndex: one.right ? 1 : 0 }), barMaxWidth: 26, symbolSize: (value) => (value ? 6 : 0), smooth: false, itemStyle: { borderRadius: one.type === "line" ? 0 : [3, 3, 0, 0] } })),
    });
    new ResizeObserver(() => drawn.resize()).observe(place);
  };
  const charts = () => $$("[data-chart]").forEach(chart);
  addEventListener("load", charts);
  document.addEventListener("htmx:afterSettle", charts);
})();
