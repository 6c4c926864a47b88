/** A proxy as its owner copies it. */
export type CopiedProxy = { host: string; port: number; username: string; password: string }

export const PROXY_FORMATS = ['text', 'url', 'curl'] as const
export type ProxyFormat = (typeof PROXY_FORMATS)[number]

/** One proxy in a form that tools take: `host:port:login:password`, a URL, or a curl command that asks `target`. */
export function formatProxy(proxy: CopiedProxy, format: ProxyFormat, target: string): string {
  switch (format) {
    case 'text':
      return `${proxy.host}:${proxy.port}:${proxy.username}:${proxy.password}`
    case 'url':
      return proxyUrl(proxy)
    case 'curl':
      return `curl -x ${quoted(proxyUrl(proxy))} ${quoted(target)}`
  }
}

/** `http://login:password@host:port`, with everything escaped that would end a part of it early. */
export function proxyUrl({ host, port, username, password }: CopiedProxy): string {
  const name = host.includes(':') ? `[${host}]` : host
  return `http://${escaped(username)}:${escaped(password)}@${name}:${port}`
}

/** encodeURIComponent leaves these as they are; a quote would end a shell word. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** One word for a shell: as it is when it is harmless, else in single quotes, out of which nothing gets. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
