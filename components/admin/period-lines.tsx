'use client'

import { useFormAnswer } from '@/components/ui/action-form'
import { INPUT_STYLES } from '@/components/ui/input-styles'

/**
 * A line of values for each period of a plan; each value has its name for a screen reader, and the errors of a line stand under it. Lines that were left
 * empty are not counted by the schema, so errors are told by the filled ones.
 */
export function PeriodLines({
  legend,
  lead,
  daysName,
  columns,
  group,
  lines,
}: {
  legend: string
  lead: string
  daysName: string
  columns: { name: string; label: string; errorName: string }[]
  /** The name under which the schema reports errors. */
  group: string
  lines: { days: number; name: string; values: string[] }[]
}) {
  const { state } = useFormAnswer()
  const groupError = state.fieldErrors[group]
  const errors = Object.entries(state.fieldErrors).filter(([name]) => name.startsWith(`${group}.`))
  return (
    <fieldset
      className="flex flex-col gap-2"
      aria-describedby={errors.length > 0 || groupError ? `${daysName}-error` : undefined}
    >
      <legend className="mb-1 text-sm font-medium">{legend}</legend>
      <p className="text-sm text-muted">{lead}</p>
      {lines.map(({ days, name, values }) => (
        <div key={days} className="grid items-end gap-2 sm:grid-cols-[6rem_repeat(3,minmax(0,9rem))]">
          <span className="text-sm font-medium sm:pb-2">{name}</span>
          <input type="hidden" name={daysName} value={days} />
          {columns.map((column, index) => (
            <label key={column.name} className="flex flex-col gap-1 text-xs text-muted">
              {column.label}
              <input
                name={column.name}
                defaultValue={values[index]}
                inputMode="decimal"
                aria-label={`${column.label}, ${name}`}
                className={INPUT_STYLES}
              />
            </label>
          ))}
        </div>
      ))}
      {(groupError ?? errors[0]?.[1]) && (
        <p id={`${daysName}-error`} className="text-sm font-medium text-bad">
          <span aria-hidden="true">✕ </span>
          {groupError ?? [...new Set(errors.map(([, text]) => text))].join(' ')}
        </p>
      )}
    </fieldset>
  )
}
