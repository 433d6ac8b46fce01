/** The Grafana dashboard: the JSON that comes of its panels. */

import { dashboardRows } from "./dashboard-rows.ts";
import type { Panel } from "./dashboard-rows.ts";

const datasource = { type: "prometheus", uid: "${datasource}" };
const columns = 24;
const panelWidth = 8;
const panelHeight = 8;

/** As Grafana 10 and later import it. */
export function buildDashboard(): object {
  return {
    uid: "tilemark",
    title: "tilemark",
    description: "Features at the edge: traffic, latency, what answers are made of, and how old",
    tags: ["tilemark"],
    editable: true,
    graphTooltip: 1,
    timezone: "browser",
    schemaVersion: 39,
    version: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    annotations: { list: [] },
    links: [],
    templating: { list: variables() },
    panels: placePanels(),
  };
}

function variables(): readonly object[] {
  const labelled = (name: string, query: string) => ({
    name,
    type: "query",
    datasource,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    includeAll: true,
    multi: true,
    allValue: ".*",
    current: { selected: true, text: ["All"], value: ["$__all"] },
  });
  return [
    { name: "datasource", type: "datasource", query: "prometheus", refresh: 1 },
    labelled("workspace", "label_values(tilemark_http_requests_total, workspace)"),
    labelled(
      "service",
      'label_values(tilemark_http_requests_total{workspace=~"$workspace"}, service)',
    ),
  ];
}

/** Rows below one another, and in each its panels from the left. */
function placePanels(): readonly object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of dashboardRows) {
    placed.push({
      id: placed.length + 1,
      type: "row",
      title,
      collapsed: false,
      gridPos: { h: 1, w: columns, x: 0, y },
      panels: [],
    });
    y += 1;
    panels.forEach((panel, i) => {
      const x = (i * panelWidth) % columns;
      const below = Math.floor((i * panelWidth) / columns) * panelHeight;
      const gridPos = { h: panelHeight, w: panelWidth, x, y: y + below };
      placed.push({ id: placed.length + 1, ...writePanel(panel), gridPos });
    });
    y += Math.ceil((panels.length * panelWidth) / columns) * panelHeight;
  }
  return placed;
}

function writePanel({ title, description, unit, queries }: Panel): object {
  return {
    type: "timeseries",
    title,
    ...(description !== undefined && { description }),
    datasource,
    fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 10 } }, overrides: [] },
    options: {
      legend: { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] },
      tooltip: { mode: "multi", sort: "desc" },
    },
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + i),
      datasource,
      editorMode: "code",
      expr,
      legendFormat: legend,
      range: true,
    })),
  };
}
