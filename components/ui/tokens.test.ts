import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const css = readFileSync('app/globals.css', 'utf8')
const tokens = new Map(
  [...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name!,
    { light: light!, dark: dark! },
  ]),
)

/** Relative luminance as WCAG 2 defines it. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function contrast(one: string, two: string): number {
  const [light, dark] = [luminance(one), luminance(two)].sort((a, b) => b - a)
  return (light! + 0.05) / (dark! + 0.05)
}

const pairs: [string, string, number][] = [
  ...['text', 'muted', 'accent', 'good', 'warning', 'bad', 'info', 'admin'].flatMap((name) =>
    ['page', 'surface', 'sunken'].map((ground): [string, string, number] => [name, ground, 4.5]),
  ),
  ...['accent', 'good', 'warning', 'bad', 'info', 'admin'].flatMap((name): [string, string, number][] => [
    [name, `${name}-soft`, 4.5],
    ['text', `${name}-soft`, 4.5],
  ]),
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-hover', 4.5],
  ['muted', 'admin-soft', 4.5],
  // The edge of a field is what tells that there is one (WCAG 1.4.11).
  ['border-strong', 'surface', 3],
]

it.each(pairs)('%s can be read on %s', (text, ground, least) => {
  for (const theme of ['light', 'dark'] as const)
    expect(contrast(tokens.get(text)![theme], tokens.get(ground)![theme]), theme).toBeGreaterThanOrEqual(least)
})
