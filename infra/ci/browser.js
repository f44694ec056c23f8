// The measures of `browser.py` inside the page. Each function answers with sentences about faults, or with its
// findings. It runs in the browser, which alone knows how things come out.
"use strict";

(() => {
  const CONTRAST_MIN = 4.5; // WCAG 2.2, 1.4.3, for text of any size
  const FIELDS = "input, select, textarea";
  const REACHED = `a[href], button, ${FIELDS}, summary, [tabindex]`;

  const contents = () => [...document.querySelectorAll(".widget .content")];
  const shown = (element) => element.checkVisibility() && element.getClientRects().length > 0;
  const brief = (element) => {
    const said = (element.textContent || element.name || "").trim().slice(0, 40);
    return `<${element.localName}> "${said}"`;
  };

  // A colour as [red, green, blue, alpha]; the canvas understands every notation that the page may use.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  function colour(text) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = "#000";
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  }
  const over = (front, back) => front.slice(0, 3).map((part, i) => part * front[3] + back[i] * (1 - front[3]));

  // The colours behind a text: the backgrounds of all that it stands in, the nearest on top.
  function behind(element) {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const layer = colour(getComputedStyle(each).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduceRight((back, layer) => over(layer, back), [255, 255, 255]);
  }

  function luminance(rgb) {
    const [red, green, blue] = rgb.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
  function ratio(front, back) {
    const [light, dark] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  }

  function texts(content) {
    const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
    const found = new Set(content.querySelectorAll(FIELDS));
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement;
      if (walker.currentNode.data.trim() && !parent.closest("style, svg, option")) found.add(parent);
    }
    return [...found].filter(shown);
  }

  function unreadable() {
    const wrong = [];
    for (const element of contents().flatMap(texts)) {
      const back = behind(element);
      let front = colour(getComputedStyle(element).color);
      for (let each = element; each; each = each.parentElement) front[3] *= Number(getComputedStyle(each).opacity);
      const found = ratio(over(front, back), back);
      if (found < CONTRAST_MIN) wrong.push(`contrast ${found.toFixed(2)} of ${brief(element)}`);
    }
    return wrong;
  }

  // Elements that are wider than their place, and would have to be scrolled to or are cut off.
  function tooWide() {
    const wrong = [];
    const page = document.scrollingElement;
    if (page.scrollWidth > page.clientWidth) wrong.push(`the page is ${page.scrollWidth} px wide, ${page.clientWidth} px can be seen`);
    for (const content of contents()) {
      const right = content.getBoundingClientRect().right + 1;
      if (content.scrollWidth > content.clientWidth) wrong.push(`a widget scrolls sideways: ${content.scrollWidth} of ${content.clientWidth} px`);
      for (const element of content.querySelectorAll("*")) {
        if (shown(element) && element.getBoundingClientRect().right > right) wrong.push(`${brief(element)} sticks out`);
      }
    }
    return wrong;
  }

  function nameless() {
    const named = (element) => {
      const labels = [...(element.labels || [])].map((label) => label.textContent.trim());
      const own = element.matches(FIELDS) ? "" : element.textContent.trim();
      return Boolean(element.getAttribute("aria-label") || labels.join("") || own);
    };
    const all = contents().flatMap((content) => [...content.querySelectorAll(REACHED)]);
    return all.filter((element) => !named(element)).map((element) => `no label: ${brief(element)}`);
  }

  // Letters that are too small to be read, and lines that run into each other.
  function tiny() {
    const small = (element) => parseFloat(getComputedStyle(element).fontSize) < 12;
    return contents().flatMap(texts).filter(small).map((element) => `too small: ${brief(element)}`);
  }

  const look = (element) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(element);
    const outline = outlineStyle === "none" || outlineWidth === "0px" ? "none" : `${outlineStyle} ${outlineWidth} ${outlineColor}`;
    return `${outline} / ${boxShadow}`;
  };

  // The elements that the Tab key has to reach, in the order of the document; `at` then says where it is.
  let stops = [];
  let before = [];
  function beginTabs() {
    stops = contents().flatMap((content) => [...content.querySelectorAll(REACHED)]);
    stops = stops.filter((element) => shown(element) && !element.disabled);
    before = stops.map(look);
    document.getElementById("pages").focus();
    const forced = stops.filter((element) => element.tabIndex > 0).map((element) => `forced order: ${brief(element)}`);
    return { count: stops.length, wrong: forced };
  }
  function at() {
    const focused = document.activeElement;
    const index = stops.indexOf(focused);
    if (index < 0) return { index };
    const box = focused.getBoundingClientRect();
    const isSeen = box.bottom > 0 && box.top < innerHeight && look(focused) !== before[index];
    return { index, isSeen, what: brief(focused) };
  }

  window.measured = { unreadable, tooWide, nameless, tiny, beginTabs, at };
})();
