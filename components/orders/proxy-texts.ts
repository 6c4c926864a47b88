/** What the list of proxies says in the browser: texts of `orders`, and the four common ones. */
export const PROXY_TEXTS = [
  'format',
  'format_text',
  'format_url',
  'format_curl',
  'copyAll',
  'copyProxy',
  'copyTest',
  'passwordShow',
  'passwordHide',
  'showMore',
] as const
export type ProxyTexts = Record<(typeof PROXY_TEXTS)[number] | 'copy' | 'copied' | 'show' | 'hide', string>
