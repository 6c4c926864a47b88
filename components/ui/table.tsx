import type { ComponentProps, ReactNode } from 'react'

export type Column<Row> = {
  key: string
  head: ReactNode
  cell: (row: Row) => ReactNode
  /** Numbers stand under each other: right, in tabular figures. */
  isNumber?: boolean
  className?: string
}

/**
 * A table that is a list of cards on phones: there each cell carries its column's name. `caption` is for screen readers. Rows come ready from the
 * server; filter, order and page live in the address.
 */
export function DataTable<Row>({
  caption,
  columns,
  rows,
  rowKey,
  empty,
}: {
  caption: string
  columns: Column<Row>[]
  rows: Row[]
  rowKey: (row: Row) => string
  empty: ReactNode
}) {
  if (rows.length === 0) return <>{empty}</>
  return (
    <div className="rounded-md border bg-surface sm:overflow-x-auto">
      <table className="w-full text-sm max-sm:block">
        <caption className="sr-only">{caption}</caption>
        <thead className="border-b bg-sunken text-left text-xs text-muted max-sm:sr-only">
          <tr>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={`px-4 py-2.5 font-medium whitespace-nowrap ${column.isNumber ? 'text-right' : ''}`}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="max-sm:block">
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              className="border-b last:border-b-0 hover:bg-sunken max-sm:block max-sm:px-4 max-sm:py-3"
            >
              {columns.map((column) => (
                <td
                  key={column.key}
                  className={`px-4 py-2 max-sm:flex max-sm:items-baseline max-sm:justify-between max-sm:gap-4 max-sm:px-0 max-sm:py-1 ${column.isNumber ? 'text-right tabular-nums' : ''} ${column.className ?? ''}`}
                >
                  <span aria-hidden="true" className="shrink-0 text-xs text-muted sm:hidden">
                    {column.head}
                  </span>
                  <span className="min-w-0 max-sm:text-right">{column.cell(row)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Pairs of name and value, as on an order's page. */
export function Facts({ facts, className = '' }: { facts: [ReactNode, ReactNode][]; className?: string }) {
  return (
    <dl className={`grid gap-x-6 gap-y-2 text-sm sm:grid-cols-[max-content_1fr] ${className}`}>
      {facts.map(([name, value], index) => (
        <div key={index} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 max-sm:mb-2">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Something to paste, in the mono face. */
export function Code({ className = '', ...props }: ComponentProps<'code'>) {
  return <code className={`font-mono text-[0.9em] break-all ${className}`} {...props} />
}

/** As long as an IPv4 address gets with its port, and its number in an order. */
const PLACE_LENGTH = 26

/** A proxy's host and port, or an address: on one line, unless it is a long name. */
export function Place({ children }: { children: string }) {
  return <Code className={children.length <= PLACE_LENGTH ? 'whitespace-nowrap' : ''}>{children}</Code>
}
