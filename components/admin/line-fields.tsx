'use client'

import { useFormAnswer } from '@/components/ui/action-form'
import { INPUT_STYLES } from '@/components/ui/input-styles'

/**
 * Lines of two values each (a period with its price, a step with its discount), with a few empty ones to fill. The error of a line stands under it;
 * one about all lines stands above them.
 */
export function LineFields({
  group,
  legend,
  lead,
  first,
  second,
  lines,
  lineLabel,
}: {
  /** The name under which the schema reports errors: periods, steps. */
  group: string
  legend: string
  lead: string
  first: { name: string; label: string; errorName: string }
  second: { name: string; label: string; errorName: string }
  lines: [string, string][]
  /** "Line 1", "Line 2", …: as many as there are lines. */
  lineLabel: string[]
}) {
  const { state } = useFormAnswer()
  const groupError = state.fieldErrors[group]
  // Errors are numbered by the lines that were filled in; empty ones in between are not counted, and are rare.
  return (
    <fieldset className="flex flex-col gap-2" aria-describedby={groupError ? `${group}-error` : undefined}>
      <legend className="mb-1 text-sm font-medium">{legend}</legend>
      <p className="text-sm text-muted">{lead}</p>
      {groupError && (
        <p id={`${group}-error`} className="text-sm font-medium text-bad">
          <span aria-hidden="true">✕ </span>
          {groupError}
        </p>
      )}
      <div className="grid max-w-sm grid-cols-2 gap-2 text-xs text-muted" aria-hidden="true">
        <span>{first.label}</span>
        <span>{second.label}</span>
      </div>
      {lines.map(([a, b], index) => {
        const errors = [first, second].map(({ errorName }) => state.fieldErrors[`${group}.${index}.${errorName}`])
        return (
          <div key={index} className="flex flex-col gap-1">
            <div className="grid max-w-sm grid-cols-2 gap-2">
              {[
                { part: first, value: a, error: errors[0] },
                { part: second, value: b, error: errors[1] },
              ].map(({ part, value, error }) => (
                <input
                  key={part.name}
                  name={part.name}
                  defaultValue={value}
                  inputMode="decimal"
                  aria-label={`${part.label}, ${lineLabel[index]}`}
                  aria-invalid={error ? true : undefined}
                  aria-describedby={error ? `${group}-${index}-error` : undefined}
                  className={INPUT_STYLES}
                />
              ))}
            </div>
            {(errors[0] ?? errors[1]) && (
              <p id={`${group}-${index}-error`} className="text-sm font-medium text-bad">
                <span aria-hidden="true">✕ </span>
                {errors[0] ?? errors[1]}
              </p>
            )}
          </div>
        )
      })}
    </fieldset>
  )
}
