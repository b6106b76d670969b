import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { arch } from "node:os";
import { pack } from "tar-stream";

/** Where Debian's busybox-static puts the one program that the images are made of. */
const BUSYBOX = "/bin/busybox";
const ARCHITECTURES: Record<string, string> = { x64: "amd64", arm64: "arm64" };
const MEDIA = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
};

export interface ImageFile {
  /** Without a leading slash. */
  path: string;
  content?: string | Uint8Array;
  /** A symbolic link to this instead of content. */
  link?: string;
  /** Default 0o644; a path that ends with `/` is a folder (0o755). */
  mode?: number;
}

/** OCI image configuration, as far as it is used here. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  User?: string;
  WorkingDir?: string;
  ExposedPorts?: Record<string, object>;
  StopSignal?: string;
}

/** An image of one layer, in all its parts. */
export interface Image {
  /** As pods name it: `guestbook-frontend:v1`. */
  name: string;
  layer: Buffer;
  config: Buffer;
  manifest: Buffer;
}

/** An image with exactly these files. The same input makes the same digests. */
export async function makeImage(name: string, files: readonly ImageFile[], config: ImageConfig): Promise<Image> {
  const layer = await tar(files);
  const configuration = json({
    architecture: ARCHITECTURES[arch()] ?? arch(),
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: [digest(layer)] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "coxswain" }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: descriptor(MEDIA.config, configuration),
    layers: [descriptor(MEDIA.layer, layer)],
  });
  return { name, layer, config: configuration, manifest };
}

/** An image with busybox, a `/bin/sh` and all its other applets, and these files besides. */
export async function makeBusyboxImage(name: string, files: readonly ImageFile[], config: ImageConfig): Promise<Image> {
  if (!existsSync(BUSYBOX)) throw new Error(`there is no ${BUSYBOX}: apt-get install busybox-static`);
  const busybox = readFileSync(BUSYBOX);
  if (busybox.includes("/lib64/ld-linux") || busybox.includes("/lib/ld-linux")) {
    throw new Error(`${BUSYBOX} is not statically linked: apt-get install busybox-static`);
  }
  const applets = execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" }).trim().split("\n");
  return makeImage(
    name,
    [
      { path: "bin/" },
      { path: "bin/busybox", content: busybox, mode: 0o755 },
      ...applets.filter((applet) => applet !== "busybox").map((applet) => ({ path: `bin/${applet}`, link: "busybox" })),
      { path: "etc/" },
      { path: "etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n" },
      { path: "etc/group", content: "root:x:0:\nuser:x:1000:\n" },
      { path: "root/", mode: 0o700 },
      { path: "tmp/", mode: 0o1777 },
      ...files,
    ],
    { Env: ["PATH=/bin"], ...config },
  );
}

/** Port that `makeWebImage`'s server listens on. */
export const WEB_PORT = 8080;

/**
 * A web server that answers `/` with `text` (and below it, with the name of its pod), dies at SIGTERM, and has a shell.
 */
export async function makeWebImage(name: string, text: string): Promise<Image> {
  const answer = `#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n%s\\n' "$(cat /text)" "$(hostname)"\n`;
  return makeBusyboxImage(
    name,
    [
      { path: "text", content: text },
      { path: "www/" },
      { path: "www/cgi-bin/" },
      { path: "www/cgi-bin/index.cgi", content: answer, mode: 0o755 },
      {
        path: "start",
        // The kernel keeps signals that it does not handle from process 1: the shell handles it for the server.
        content: `#!/bin/sh\ntrap 'kill $server; exit 0' TERM\nhttpd -f -v -p ${WEB_PORT} -h /www &\nserver=$!\nwait $server\n`,
        mode: 0o755,
      },
    ],
    { Entrypoint: ["/start"], ExposedPorts: { [`${WEB_PORT}/tcp`]: {} } },
  );
}

/** An OCI image layout as a tar file, named so that containerd imports it under the name that pods use. */
export async function ociArchive(image: Image): Promise<Buffer> {
  const index = json({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [
      {
        ...descriptor(MEDIA.manifest, image.manifest),
        annotations: {
          "io.containerd.image.name": fullName(image.name),
          "org.opencontainers.image.ref.name": splitName(image.name).tag,
        },
      },
    ],
  });
  return tar([
    { path: "oci-layout", content: json({ imageLayoutVersion: "1.0.0" }) },
    { path: "index.json", content: index },
    ...[image.layer, image.config, image.manifest].map((blob) => ({
      path: `blobs/${digest(blob).replace(":", "/")}`,
      content: blob,
    })),
  ]);
}

/** What `docker save` writes. */
export async function dockerArchive(image: Image): Promise<Buffer> {
  const config = `${digest(image.config).slice("sha256:".length)}.json`;
  return tar([
    { path: config, content: image.config },
    { path: "layer.tar", content: image.layer },
    {
      path: "manifest.json",
      content: json([{ Config: config, RepoTags: [image.name], Layers: ["layer.tar"] }]),
    },
  ]);
}

/** `guestbook:v1` → repository and tag. */
export function splitName(name: string): { repository: string; tag: string } {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/")
    ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) }
    : { repository: name, tag: "latest" };
}

export function digest(content: Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** A name without a registry means Docker's, to containerd as to Docker. */
function fullName(name: string): string {
  const { repository, tag } = splitName(name);
  const [host = "", ...path] = repository.split("/");
  if (path.length === 0) return `docker.io/library/${repository}:${tag}`;
  return /[.:]/.test(host) || host === "localhost" ? `${repository}:${tag}` : `docker.io/${repository}:${tag}`;
}

function descriptor(mediaType: string, content: Uint8Array) {
  return { mediaType, digest: digest(content), size: content.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

async function tar(files: readonly ImageFile[]): Promise<Buffer> {
  const archive = pack();
  const mtime = new Date(0);
  for (const { path, content = "", link, mode } of files) {
    if (path.endsWith("/")) archive.entry({ name: path, type: "directory", mode: mode ?? 0o755, mtime });
    else if (link !== undefined) archive.entry({ name: path, type: "symlink", linkname: link, mode: 0o777, mtime });
    else archive.entry({ name: path, mode: mode ?? 0o644, mtime }, Buffer.from(content as Uint8Array));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
