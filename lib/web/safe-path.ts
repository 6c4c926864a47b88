/**
 * A path of our own shop to go to next, from what an address or a form said; `/account` for anything that could lead elsewhere. It is parsed the
 * way a browser would, because `/\evil.example` and `//evil.example` look like paths to a person and like hosts to a browser.
 */
export function safePath(text: string | null | undefined, fallback = '/account'): string {
  if (!text || !text.startsWith('/') || text.length > 2000 || /[\\\u0000-\u001f]/.test(text)) return fallback
  try {
    const url = new URL(text, 'https://shop.invalid')
    if (url.origin !== 'https://shop.invalid' || url.pathname.startsWith('//') || url.pathname.startsWith('/api/'))
      return fallback
    return `${url.pathname}${url.search}`
  } catch {
    return fallback
  }
}
