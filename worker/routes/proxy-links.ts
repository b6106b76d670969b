/** Attributes whose values are addresses, by element (HTML 4 and 5). */
const LINKS: Record<string, readonly string[]> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["formaction", "src", "usemap"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};

/** A page with the addresses in it rewritten. */
export function rewriteLinks(page: Response, rewrite: (address: string) => string): Response {
  const rewriter = new HTMLRewriter();
  for (const [element, attributes] of Object.entries(LINKS)) {
    rewriter.on(element, {
      element(found) {
        for (const attribute of attributes) {
          const address = found.getAttribute(attribute);
          if (address !== null) found.setAttribute(attribute, rewrite(address));
        }
      },
    });
  }
  const rewritten = rewriter.transform(page);
  rewritten.headers.delete("content-length");
  return rewritten;
}
