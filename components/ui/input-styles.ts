/** How everything that is typed into looks. 16 px on phones, because smaller text makes them zoom in. */
export const INPUT_STYLES =
  'min-h-10 w-full rounded-md border border-border-strong bg-surface px-3 text-base text-text placeholder:text-muted aria-invalid:border-bad disabled:bg-sunken disabled:text-muted sm:text-sm'
