
"use strict";
(() => {
  const marks = { fail: "✗", error: "#", warn: "!", known: "=", info: "?", skip: "–", pass: "✓" };
  // From the gravest verdict to the lightest.
  const verdicts = Object.keys(marks);
  const words = { fail: "failed", error: "not judged", warn: "warned", known: "known to fail", info: "observed", skip: "skipped", pass: "passed" };
  const STEP = 200;

  const source = document.getElementById("data");
  const data = JSON.parse(source.textContent);
  source.remove();
  const [form, count, list, more, grids] = ["filter", "count", "list", "more", "grids"].map((id) => document.getElementById(id));

  const order = Object.fromEntries(verdicts.map((verdict, rank) => [verdict, rank]));
  // Prepared for a search at the first one: most pages are opened for a few cases.
  const text = (each) => each.text ??= [each.id, each.rule.id, each.reason, each.known, each.rule.requirement, each.rule.source,
    each.operation.path, each.identity, each.side].join(" ").toLowerCase();
  for (const api of data.apis) {
    for (const each of api.cases) {
      [each.row, each.column] = [each.rule, each.operation];
      [each.api, each.rule, each.operation] = [api, api.rules[each.rule], api.operations[each.operation]];
      each.change = data.changes[each.id];
    }
  }
  const cases = data.apis.flatMap((api) => api.cases).sort((a, b) => order[a.verdict] - order[b.verdict]);
  const isOpen = (each) => each.verdict !== "pass" && each.verdict !== "skip";

  // Every text goes in as text: nothing of a report is ever read as markup.
  function element(name, properties, ...children) {
    const made = document.createElement(name);
    Object.assign(made, properties);
    made.append(...children.filter((child) => child !== undefined && child !== ""));
    return made;
  }

  function options(select, all, entries) {
    select.append(element("option", { value: "" }, all), ...entries.map(([value, text]) => element("option", { value }, text)));
  }

  function link(text, url) {
    const isWeb = /^https?:\/\//.test(url);
    return isWeb ? element("a", { href: url, rel: "noopener noreferrer" }, text) : text;
  }

  const fields = ["verdict", "api", "family", "q"];
  const wanted = () => Object.fromEntries(fields.map((name) => [name, form.elements[name].value.trim()]));

  function found() {
    const { verdict, api, family, q } = wanted();
    const parts = q.toLowerCase().split(/\s+/).filter(Boolean);
    return cases.filter((each) =>
      (!verdict || (verdict === "open" ? isOpen(each) : each.verdict === verdict)) &&
      (!api || each.api.name === api) && (!family || each.rule.family === family) &&
      parts.every((part) => text(each).includes(part)));
  }

  function details(each) {
    const entries = [
      ["requires", `${each.level}: ${each.rule.requirement}`],
      ["source", link(each.rule.source, each.rule.url)],
      ["operation", `${each.operation.method} ${each.operation.path}`],
      ["caller", each.identity],
      ["reason", each.reason],
      ["known to fail", each.known === "" ? "the baseline gives no reason" : each.known],
      ["rule", `${each.rule.id}, ${each.api.contract}:${each.rule.line}`],
      ["took", `${each.seconds} s, ${each.side}`],
    ];
    const terms = entries.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
    return element("div", {}, element("dl", {}, ...terms), ...(each.exchanges ?? []).flatMap(exchange));
  }

  function exchange({ lines, curl }) {
    const shown = lines.map((line) => element("span", { className: line.startsWith(">") ? "sent" : "" }, `${line}\n`));
    const parts = [element("pre", {}, ...shown)];
    if (curl) {
      const command = element("pre", {}, curl);
      const copy = element("button", { type: "button" }, "Copy curl");
      copy.addEventListener("click", () => {
        getSelection().selectAllChildren(command);
        navigator.clipboard?.writeText(curl).then(() => { copy.textContent = "Copied"; }, () => {});
      });
      parts.push(command, copy);
    }
    return parts;
  }

  function item(each) {
    const made = element("details", { className: `case ${each.verdict}` }, element("summary", {},
      element("b", {}, `${marks[each.verdict]} ${each.verdict}`),
      element("span", { className: "id" }, each.id),
      each.change && element("span", { className: "tag" }, each.change),
      element("small", {}, each.reason ?? each.rule.requirement)));
    made.addEventListener("toggle", () => {
      if (made.open && made.childElementCount === 1) made.append(details(each));
    });
    return made;
  }

  let waiting = [];
  function show() {
    list.append(...waiting.splice(0, STEP).map(item));
    more.hidden = waiting.length === 0;
    more.textContent = `Show more (${waiting.length} left)`;
  }

  function filter() {
    waiting = found();
    count.textContent = `${waiting.length} of ${cases.length} cases`;
    list.replaceChildren();
    const only = waiting.length === 1;
    show();
    if (only) list.firstChild.open = true;
  }

  // The fragment holds the filter, so that a link can name what it shows.
  function write() {
    const set = Object.entries(wanted()).filter(([, value]) => value);
    history.replaceState(null, "", `#${new URLSearchParams(set)}`);
    filter();
  }

  function read() {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const name of fields) form.elements[name].value = asked.get(name) ?? "";
    filter();
  }

  // One table an API, made when it is opened: rules down, operations across, in a cell the gravest verdict there.
  function grid(api) {
    const cells = new Map();
    for (const each of api.cases) {
      const place = `${each.row} ${each.column}`;
      const before = cells.get(place);
      if (!before || order[each.verdict] < order[before]) cells.set(place, each.verdict);
    }
    const rows = [];
    let family = "";
    api.rules.forEach((rule, number) => {
      if (rule.family !== family) {
        family = rule.family;
        rows.push(element("tr", { className: "family" }, element("th", {}, family), element("td", { colSpan: api.operations.length })));
      }
      const across = api.operations.map((operation, column) => {
        const verdict = cells.get(`${number} ${column}`);
        if (!verdict) return element("td", {});
        const fragment = new URLSearchParams({ api: api.name, q: `${rule.id} ${operation.id}` });
        const title = `${rule.id} at ${operation.id}: ${words[verdict]}`;
        return element("td", { className: verdict, title }, element("a", { href: `#${fragment}` }, marks[verdict]));
      });
      const name = rule.id.split(".").slice(2).join(".");
      rows.push(element("tr", {}, element("th", { title: rule.requirement }, name), ...across));
    });
    const head = element("tr", {}, element("th", {}, "rule"), ...api.operations.map((operation) =>
      element("th", { title: `${operation.method} ${operation.path}` }, operation.id)));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
    return element("div", { className: "scroll" }, table);
  }

  for (const api of data.apis) {
    const text = `${api.name}: ${api.rules.length} rules, ${api.operations.length} operations`;
    const made = element("details", { className: "grid" }, element("summary", {}, text));
    made.addEventListener("toggle", () => {
      if (made.open && made.childElementCount === 1) made.append(grid(api));
    });
    grids.append(made);
  }

  const present = (key) => [...new Set(cases.map(key))].map((value) => [value, value]);
  const counted = verdicts.map((name) => [name, cases.filter((each) => each.verdict === name).length]).filter(([, number]) => number);
  options(form.elements.verdict, "all", [["open", "not passed"], ...counted.map(([name, number]) => [name, `${words[name]} (${number})`])]);
  options(form.elements.api, "all", present((each) => each.api.name));
  options(form.elements.family, "all", present((each) => each.rule.family));
  form.hidden = grids.hidden = false;
  form.addEventListener("input", write);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields are empty only after this event.
  form.addEventListener("reset", () => setTimeout(write));
  more.addEventListener("click", show);
  addEventListener("hashchange", () => {
    read();
    document.getElementById("cases").scrollIntoView();
  });
  if (location.hash.length < 2 && cases.some(isOpen)) {
    form.elements.verdict.value = "open";
    filter();
  } else {
    read();
  }
})();
