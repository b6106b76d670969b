#!/usr/bin/env -S npx node
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ImageFile, makeBusyboxImage, ociArchive } from "../../test/support/images.ts";

/** The port that both tiers listen on. */
const PORT = 8080;
/** Nobody in particular: neither tier needs to be root. */
const USER = "1000:1000";

/** Builds the guestbook's images into OCI archives of this folder; their paths are returned. */
export async function buildGuestbookImages(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const images = await Promise.all([
    tier("frontend", "v1", [await script("frontend/guestbook.sh", "www/cgi-bin/guestbook")]),
    tier("frontend", "v2", [await script("frontend/guestbook.sh", "www/cgi-bin/guestbook")]),
    tier("backend", "v1", [await script("backend/entries.sh", "www/cgi-bin/entries")]),
  ]);
  return Promise.all(
    images.map(async (image) => {
      const path = join(folder, `${image.name.replace(":", "-")}.tar`);
      await writeFile(path, await ociArchive(image));
      return path;
    }),
  );
}

async function tier(name: "frontend" | "backend", version: string, files: ImageFile[]) {
  return makeBusyboxImage(
    `guestbook-${name}:${version}`,
    [
      { path: "www/" },
      { path: "www/healthz", content: "ok\n" },
      { path: "www/cgi-bin/" },
      // What httpd answers `/` with.
      ...(name === "frontend" ? [{ path: "www/cgi-bin/index.cgi", link: "guestbook" }] : []),
      await script("serve.sh", "bin/serve"),
      ...files,
    ],
    {
      Entrypoint: ["/bin/serve"],
      Env: ["PATH=/bin", `TIER=${name}`, `VERSION=${version}`, `PORT=${PORT}`],
      ExposedPorts: { [`${PORT}/tcp`]: {} },
      User: USER,
    },
  );
}

async function script(source: string, path: string): Promise<ImageFile> {
  return { path, content: await readFile(new URL(source, import.meta.url)), mode: 0o755 };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    for (const path of await buildGuestbookImages(process.argv[2] ?? ".")) console.log(path);
  } catch (error) {
    console.error(`guestbook: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
