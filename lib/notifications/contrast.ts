/** What mails are drawn on: a white card, and the dark one of readers whose mail program is dark. */
export const MAIL_WHITE = '#ffffff'
export const MAIL_DARK = '#161d20'

/** Text on a button is white, and links on the white card are text: 4.5 to 1 (WCAG 1.4.3). */
const ON_WHITE_MIN = 4.5
/** On the dark card the button only has to be seen as one: 3 to 1 (WCAG 1.4.11). Links there get a lighter tone, see lighterTone. */
const ON_DARK_MIN = 3

const channelsOf = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))

function luminanceOf(hex: string): number {
  const [red, green, blue] = channelsOf(hex).map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

/** How much two colours (#rrggbb) differ, from 1 to 21, as WCAG counts it. */
export function contrastOf(one: string, other: string): number {
  const [low, high] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => a - b)
  return (high! + 0.05) / (low! + 0.05)
}

/** Whether a colour can be the accent of mails: readable on white, visible on dark. */
export function isReadableAccent(hex: string): boolean {
  return contrastOf(hex, MAIL_WHITE) >= ON_WHITE_MIN && contrastOf(hex, MAIL_DARK) >= ON_DARK_MIN
}

/** The same colour mixed with white until text in it can be read on the dark card. */
export function lighterTone(hex: string): string {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = `#${channelsOf(hex)
      .map((value) =>
        Math.round(value + (255 - value) * share)
          .toString(16)
          .padStart(2, '0'),
      )
      .join('')}`
    if (contrastOf(mixed, MAIL_DARK) >= ON_WHITE_MIN) return mixed
  }
  return MAIL_WHITE
}
