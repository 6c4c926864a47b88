-- Papers: receipts and invoices as they were issued, and what customers want printed on them.
SET lock_timeout = '5s';

CREATE TABLE "billing_profiles" (
    "user_id" TEXT NOT NULL,
    "name" TEXT NOT NULL DEFAULT '',
    "company" TEXT NOT NULL DEFAULT '',
    "address" TEXT NOT NULL DEFAULT '',
    "country_code" TEXT NOT NULL DEFAULT '',
    "tax_id" TEXT NOT NULL DEFAULT '',
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "billing_profiles_pkey" PRIMARY KEY ("user_id")
);

CREATE TABLE "papers" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "year" INTEGER NOT NULL,
    "number" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "locale" TEXT NOT NULL,
    "snapshot" JSONB NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "papers_pkey" PRIMARY KEY ("id"),
    CONSTRAINT kind_is_known CHECK (kind IN ('receipt', 'invoice')),
    CONSTRAINT number_is_positive CHECK (number > 0)
);
CREATE UNIQUE INDEX "papers_kind_year_number_key" ON "papers"("kind", "year", "number");
CREATE UNIQUE INDEX "papers_kind_subject_id_key" ON "papers"("kind", "subject_id");
CREATE INDEX "papers_user_id_idx" ON "papers"("user_id");

CREATE TABLE "paper_counters" (
    "kind" TEXT NOT NULL,
    "year" INTEGER NOT NULL,
    "last_number" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "paper_counters_pkey" PRIMARY KEY ("kind", "year")
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON papers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON papers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE ON paper_counters FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Writes a paper under the next number of its kind and year, once per subject. Locks the counter's row until the caller's transaction ends, so that
-- numbers follow each other without a gap and in the order of their times. Outcome: 'issued' | 'repeated' (the subject has one; p_snapshot is not used).
-- The caller has made sure that there is something to issue a paper about.
CREATE FUNCTION issue_paper(p_id text, p_kind text, p_user_id text, p_subject_id text, p_locale text, p_snapshot jsonb, OUT outcome text, OUT paper_id text)
LANGUAGE plpgsql AS $$
DECLARE v_year int; v_number int; v_now timestamptz;
BEGIN
  -- Whoever waited for the lock across New Year begins again with the new year's counter.
  LOOP
    v_year := extract(year FROM clock_timestamp() AT TIME ZONE 'UTC');
    INSERT INTO paper_counters (kind, year) VALUES (p_kind, v_year) ON CONFLICT DO NOTHING;
    SELECT c.last_number + 1 INTO v_number FROM paper_counters c WHERE c.kind = p_kind AND c.year = v_year FOR NO KEY UPDATE;
    v_now := clock_timestamp();
    EXIT WHEN extract(year FROM v_now AT TIME ZONE 'UTC') = v_year;
  END LOOP;
  -- Looked up after the lock, so that of two at once the second sees the first.
  SELECT p.id INTO paper_id FROM papers p WHERE p.kind = p_kind AND p.subject_id = p_subject_id;
  IF FOUND THEN outcome := 'repeated'; RETURN; END IF;
  INSERT INTO papers (id, kind, year, number, user_id, subject_id, locale, snapshot, issued_at)
  VALUES (p_id, p_kind, v_year, v_number, p_user_id, p_subject_id, p_locale, p_snapshot, v_now);
  UPDATE paper_counters SET last_number = v_number WHERE kind = p_kind AND year = v_year;
  paper_id := p_id;
  outcome := 'issued';
END $$;
