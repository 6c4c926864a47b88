import { readFileSync } from 'node:fs'
import path from 'node:path'
import PDFDocument from 'pdfkit'

/** A4 in points, with room for a punch. */
const PAGE = { width: 595.28, height: 841.89 }
const MARGIN = { left: 56, right: 48, top: 56, bottom: 64 }
export const LEFT = MARGIN.left
export const RIGHT = PAGE.width - MARGIN.right
export const WIDTH = RIGHT - LEFT
/** Below this line stands the foot of the page. */
export const BOTTOM = PAGE.height - MARGIN.bottom

export const INK = '#15181c'
export const MUTED = '#5b6470'
const RULE = '#cfd5dc'

/** Below the folder in which every process of the shop is started; a bundler would give these files other places. */
const FONTS = path.join(process.cwd(), 'node_modules', '@expo-google-fonts', 'inter')
const FONT_FILES = {
  text: path.join(FONTS, '400Regular', 'Inter_400Regular.ttf'),
  strong: path.join(FONTS, '600SemiBold', 'Inter_600SemiBold.ttf'),
} as const
export type Face = keyof typeof FONT_FILES

let fonts: Record<Face, Buffer> | undefined
function readFonts(): Record<Face, Buffer> {
  fonts ??= { text: readFileSync(FONT_FILES.text), strong: readFileSync(FONT_FILES.strong) }
  return fonts
}

export type Column = { head: string; width: number; align?: 'left' | 'right' }
/** A cell is a text, or a text with a quieter one below it. */
export type Cell = string | { text: string; below: string }

const CELL_GAP = 10
const LINE_GAP = 2
/** Enough for every text that comes again on a page; a statement has thousands that do not. */
const WIDTHS_KEPT = 500

/** Figures of one width stand under each other; in running text they would tear dashes and numbers apart. */
function figures(align: 'left' | 'right' = 'left') {
  return align === 'right' ? { features: ['tnum' as const] } : {}
}

/**
 * A sheet to draw on from top to bottom: `y` is where the next thing stands. Texts wrap inside their box. Two sheets of the same things have the same bytes: the only time in them is `madeAt`.
 */
export class Sheet {
  readonly pdf: PDFKit.PDFDocument
  y = MARGIN.top
  private readonly widths = new Map<string, number>()
  private readonly chunks: Buffer[] = []
  private readonly ended: Promise<void>

  constructor(about: { title: string; author: string; locale: string; madeAt: Date }) {
    this.pdf = new PDFDocument({
      size: 'A4',
      margins: { left: 0, right: 0, top: 0, bottom: 0 },
      bufferPages: true,
      lang: about.locale,
      displayTitle: true,
      pdfVersion: '1.7',
      info: {
        Title: about.title,
        Author: about.author,
        Creator: about.author,
        CreationDate: about.madeAt,
        ModDate: about.madeAt,
      },
    })
    this.ended = new Promise((resolve, reject) => {
      this.pdf.on('data', (chunk: Buffer) => this.chunks.push(chunk))
      this.pdf.on('end', resolve)
      this.pdf.on('error', reject)
    })
    for (const [face, file] of Object.entries(readFonts())) this.pdf.registerFont(face, file)
  }

  private use(face: Face, size: number, color: string) {
    return this.pdf.font(face).fontSize(size).fillColor(color)
  }

  /** How high the text will be in a box of this width. */
  heightOf(text: string, box: { width: number; size?: number; face?: Face; align?: 'left' | 'right' }): number {
    const { width, size = 9.5, face = 'text', align } = box
    if (text === '') return 0
    this.use(face, size, INK)
    if (this.lineWidth(text, { width, size, face, align }) !== null) return this.pdf.currentLineHeight(true) + LINE_GAP
    return this.pdf.heightOfString(text, { width, lineGap: LINE_GAP, ...figures(align) })
  }

  /**
   * How wide a text is that needs no second line; null when it does. Most cells need none, and laying a text out costs so much more than all else that
   * a statement of thousands of lines must do it as seldom as can be. Expects the font to be chosen.
   */
  private lineWidth(
    text: string,
    box: { width: number; size: number; face: Face; align?: 'left' | 'right' },
  ): number | null {
    if (text.includes('\n')) return null
    const key = `${box.face} ${box.size} ${box.align === 'right'} ${text}`
    let width = this.widths.get(key)
    if (width === undefined) {
      width = this.pdf.widthOfString(text, figures(box.align))
      if (this.widths.size >= WIDTHS_KEPT) this.widths.clear()
      this.widths.set(key, width)
    }
    return width <= box.width ? width : null
  }

  /** Writes into a box whose upper left corner is given; returns the height it took. */
  write(
    text: string,
    box: {
      x?: number
      y?: number
      width?: number
      size?: number
      face?: Face
      color?: string
      align?: 'left' | 'right'
    },
  ): number {
    const { x = LEFT, y = this.y, width = WIDTH, size = 9.5, face = 'text', color = INK, align = 'left' } = box
    if (text === '') return 0
    const height = this.heightOf(text, { width, size, face, align })
    const pen = this.use(face, size, color)
    const line = this.lineWidth(text, { width, size, face, align })
    if (line === null) pen.text(text, x, y, { width, align, lineGap: LINE_GAP, ...figures(align) })
    else pen.text(text, align === 'right' ? x + width - line : x, y, { lineBreak: false, ...figures(align) })
    return height
  }

  rule(y = this.y, strength = 0.6): void {
    this.pdf.moveTo(LEFT, y).lineTo(RIGHT, y).lineWidth(strength).strokeColor(RULE).stroke()
  }

  /** Begins a new page when less than `height` is left; says whether it did. */
  need(height: number): boolean {
    if (this.y + height <= BOTTOM) return false
    this.pdf.addPage()
    this.y = MARGIN.top
    return true
  }

  /** The head of a table; `row` draws it anew on each page that a row begins. */
  head(columns: Column[]): void {
    let x = LEFT
    let height = 0
    for (const [index, { head, width, align }] of columns.entries()) {
      const inner = width - (index < columns.length - 1 ? CELL_GAP : 0)
      height = Math.max(height, this.write(head, { x, width: inner, size: 8, color: MUTED, align }))
      x += width
    }
    this.y += height + 4
    this.rule()
    this.y += 6
  }

  /** A row of a table, whole on one page; long texts wrap. */
  row(columns: Column[], cells: Cell[], look: { size?: number; face?: Face } = {}): void {
    const { size = 9.5, face = 'text' } = look
    const innerOf = (index: number) => columns[index]!.width - (index < columns.length - 1 ? CELL_GAP : 0)
    const heights = cells.map((cell, index) => {
      const width = innerOf(index)
      const { align } = columns[index]!
      if (typeof cell === 'string') return this.heightOf(cell, { width, size, face, align })
      return (
        this.heightOf(cell.text, { width, size, face, align }) +
        1 +
        this.heightOf(cell.below, { width, size: size - 1.5 })
      )
    })
    const height = Math.max(...heights)
    if (this.need(height + 8)) this.head(columns)
    let x = LEFT
    for (const [index, cell] of cells.entries()) {
      const { align = 'left' } = columns[index]!
      const width = innerOf(index)
      const text = typeof cell === 'string' ? cell : cell.text
      const taken = this.write(text, { x, width, size, face, align })
      if (typeof cell !== 'string')
        this.write(cell.below, { x, y: this.y + taken + 1, width, size: size - 1.5, color: MUTED, align })
      x += columns[index]!.width
    }
    this.y += height + 4
    this.rule(this.y, 0.3)
    this.y += 5
  }

  /** Writes the foot of every page and gives the document's bytes. `pageOf` says "Page 1 of 3"; a single page has none. */
  async finish(foot: { note: string; pageOf: (page: number, pages: number) => string }): Promise<Buffer> {
    const { count } = this.pdf.bufferedPageRange()
    for (let page = 0; page < count; page += 1) {
      this.pdf.switchToPage(page)
      const y = BOTTOM + 16
      if (foot.note !== '' || count > 1) this.rule(y - 8)
      this.write(foot.note, { y, width: WIDTH - 100, size: 7.5, color: MUTED })
      if (count > 1)
        this.write(foot.pageOf(page + 1, count), {
          x: RIGHT - 90,
          y,
          width: 90,
          size: 7.5,
          color: MUTED,
          align: 'right',
        })
    }
    this.pdf.end()
    await this.ended
    return Buffer.concat(this.chunks)
  }
}
