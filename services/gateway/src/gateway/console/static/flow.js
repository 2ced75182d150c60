// Flows between tiers: <div class="chart flow" role="img" aria-label="…" data-flow='{"nodes": […], "links": […]}'>,
// its table beside it. Nodes come in the order in which they are to stand.
"use strict";
(() => {
  const TONES = ["#8a96a1", "#5f7d8c", "#b7791f", "#0b7285", "#5f3dc4", "#c2255c"]; // by rank: new, ordinary, gold …
  const draw = (place) => {
    if (!window.echarts || place.dataset.drawn) return;
    place.dataset.drawn = "1";
    const asked = JSON.parse(place.dataset.flow), drawn = echarts.init(place, null, { renderer: "canvas" });
    const labels = Object.fromEntries(asked.nodes.map((node) => [node.name, node.label]));
    const many = (value) => Number(value).toLocaleString(document.documentElement.lang);
    const sums = {};
    asked.links.forEach((link) => [link.source, link.target].forEach((end) => { sums[end] = (sums[end] || 0) + link.value; }));
    drawn.setOption({
      animation: false, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      // Rich text: the HTML kind of tooltip would need inline styles, which our policy forbids.
      tooltip: {
        renderMode: "richText", confine: true,
        formatter: (one) => one.dataType === "edge"
          ? labels[one.data.source] + asked.arrow + labels[one.data.target] + "\n" + many(one.data.value) + " " + asked.unit
          : labels[one.name] + "\n" + many(sums[one.name]) + " " + asked.unit,
      },
      series: [{
        type: "sankey", left: 4, right: 4, top: 8, bottom: 8, nodeWidth: 14, nodeGap: 20, layoutIterations: 0, draggable: false,
        emphasis: { focus: "adjacency" }, lineStyle: { color: "source", opacity: .28, curveness: .5 },
        label: { color: "#1f2b36", fontSize: 13, formatter: (one) => labels[one.name] + "  " + many(sums[one.name]) },
        data: asked.nodes.map((node) => ({
          name: node.name, depth: node.depth, itemStyle: { color: TONES[node.rank % TONES.length] },
          label: { position: node.depth ? "left" : "right" },
        })),
        links: asked.links,
      }],
    });
    new ResizeObserver(() => drawn.resize()).observe(place);
  };
  const all = () => document.querySelectorAll("[data-flow]").forEach(draw);
  addEventListener("load", all);
  document.addEventListener("htmx:afterSettle", all);
})();
