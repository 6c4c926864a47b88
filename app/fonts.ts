import localFont from 'next/font/local'

/**
 * Inter and JetBrains Mono from the packages, latin and cyrillic apart, each fetched only when a page has its letters. The cyrillic files have no
 * stand-in of their own: it would catch the latin letters too, because it stands first in the list (app/globals.css).
 */
const inter = localFont({
  src: '../node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2',
  variable: '--font-inter',
  weight: '100 900',
  display: 'swap',
  adjustFontFallback: 'Arial',
})

const interCyrillic = localFont({
  src: '../node_modules/@fontsource-variable/inter/files/inter-cyrillic-wght-normal.woff2',
  variable: '--font-inter-cyrillic',
  weight: '100 900',
  display: 'swap',
  preload: false,
  adjustFontFallback: false,
  declarations: [{ prop: 'unicode-range', value: 'U+0301, U+0400-045F, U+0490-0491, U+04B0-04B1, U+2116' }],
})

const mono = localFont({
  src: '../node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2',
  variable: '--font-mono-latin',
  weight: '100 800',
  display: 'swap',
  preload: false,
  adjustFontFallback: false,
})

const monoCyrillic = localFont({
  src: '../node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-cyrillic-wght-normal.woff2',
  variable: '--font-mono-cyrillic',
  weight: '100 800',
  display: 'swap',
  preload: false,
  adjustFontFallback: false,
  declarations: [{ prop: 'unicode-range', value: 'U+0301, U+0400-045F, U+0490-0491, U+04B0-04B1, U+2116' }],
})

export const FONT_VARIABLES = [inter, interCyrillic, mono, monoCyrillic].map((font) => font.variable).join(' ')
