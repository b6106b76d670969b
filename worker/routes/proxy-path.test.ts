import { expect, test } from "vitest";
import { parseProxyPath, proxyPrefix, throughProxy } from "./proxy-path.ts";

test.each([
  ["/api/v1/namespaces/shop/pods/web/proxy", "pods", "web", ""],
  ["/api/v1/namespaces/shop/pods/https:web:443/proxy/", "pods", "https:web:443", "/"],
  ["/api/v1/namespaces/shop/services/web%3Ahttp/proxy/a%2Fb//c", "services", "web:http", "/a%2Fb/c"],
])("%s is a proxy's", (path, resource, name, rest) => {
  const target = { group: "", version: "v1", resource, namespace: "shop", name, subresource: "proxy" };
  expect(parseProxyPath(path)).toEqual({ target, watch: false, path: rest });
});

test.each([
  "/api/v1/namespaces/shop/pods/web",
  "/api/v1/namespaces/shop/pods/web/proxyless",
  "/api/v1/namespaces/shop/secrets/web/proxy/x",
  "/apis/v1/namespaces/shop/pods/web/proxy",
  "/api/v1/namespaces/shop/pods/%zz/proxy/x",
])("%s is not", (path) => {
  expect(parseProxyPath(path)).toBeUndefined();
});

test.each([
  "/api/v1/namespaces/shop/pods/web/proxy",
  "/clusters/proxy/api/v1/namespaces/proxy/services/proxy-1:80/proxy",
])("%s is what leads to the proxy", (prefix) => {
  for (const rest of ["", "/", "/proxy/x"]) expect(proxyPrefix(prefix + rest)).toBe(prefix);
});

const PREFIX = "/api/v1/namespaces/shop/pods/web/proxy";

test.each([
  ["/style.css?v=2#top", `${PREFIX}/style.css?v=2#top`],
  [`${PREFIX}/there`, `${PREFIX}/there`],
  ["https://api.example:6443/x", `${PREFIX}/x`],
  ["//api.example:6443/x", `${PREFIX}/x`],
  ["https://elsewhere/x", "https://elsewhere/x"],
  ["relative/x", "relative/x"],
  ["mailto:a@b", "mailto:a@b"],
  ["#top", "#top"],
  ["", ""],
])("a link to %s leads to %s", (address, expected) => {
  expect(throughProxy(address, PREFIX, ["api.example:6443"])).toBe(expected);
});
