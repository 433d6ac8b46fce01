/** The style of the page, in light and in dark, whose hash its security policy names. */

export const pageStyle = `
:root { color-scheme: light dark; --line: light-dark(#d6dae0, #3a4048); --soft: light-dark(#f4f6f8, #1d2126);
  --dim: light-dark(#596270, #9aa4b1); --accent: light-dark(#0b5cad, #7ab8ff); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 6rem; line-height: 1.5;
  font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#fff, #14171a); color: light-dark(#1a1f26, #e4e8ed); }
h1, h2, h3, h4 { line-height: 1.25; margin: 2.5rem 0 0.5rem; }
h1 { margin-top: 0; }
h3 { border-top: 1px solid var(--line); padding-top: 1.5rem; }
h4 { margin: 1.25rem 0 0.25rem; font-size: 0.9rem; color: var(--dim); }
p { margin: 0.25rem 0 0.75rem; max-width: 45rem; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font: 0.86rem/1.5 ui-monospace, monospace; }
h3 code { font-size: 1.05rem; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 1rem 0.3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 500; font-size: 0.85rem; color: var(--dim); }
td:first-child { white-space: nowrap; }
ul { margin: 0; padding-left: 1.1rem; }
nav ul { columns: 22rem; list-style: none; padding: 0; }
nav li { overflow-wrap: anywhere; break-inside: avoid; }
summary { cursor: pointer; color: var(--accent); }
details { margin: 0.25rem 0; }
.method { color: var(--accent); font-weight: 600; }
.dim { color: var(--dim); }
`;
