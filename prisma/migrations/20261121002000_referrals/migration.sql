-- Referrals: links, who came through whom, what that earned, and where it went (docs/decisions/0026, lib/referrals/README.md).
-- CreateTable
CREATE TABLE "referral_links" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "is_active" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "referral_links_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "referral_link_days" (
    "link_id" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "clicks" INTEGER NOT NULL,

    CONSTRAINT "referral_link_days_pkey" PRIMARY KEY ("link_id","day")
);

-- CreateTable
CREATE TABLE "referrals" (
    "user_id" TEXT NOT NULL,
    "referrer_id" TEXT NOT NULL,
    "link_id" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "review" TEXT NOT NULL DEFAULT 'clear',
    "review_reason" TEXT,
    "reviewed_by" TEXT,
    "reviewed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "referrals_pkey" PRIMARY KEY ("user_id")
);

-- CreateTable
CREATE TABLE "referral_signals" (
    "user_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "with_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "referral_signals_pkey" PRIMARY KEY ("user_id","kind","with_id")
);

-- CreateTable
CREATE TABLE "person_marks" (
    "user_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "person_marks_pkey" PRIMARY KEY ("user_id","kind","digest")
);

-- CreateTable
CREATE TABLE "referral_rules" (
    "id" TEXT NOT NULL,
    "basis" TEXT NOT NULL,
    "product_id" TEXT,
    "basis_points" INTEGER NOT NULL,
    "for_days" INTEGER,
    "person_cap_micros" BIGINT,
    "month_cap_micros" BIGINT,
    "created_by" TEXT,
    "from_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "until_at" TIMESTAMPTZ(3),

    CONSTRAINT "referral_rules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "referral_rewards" (
    "id" TEXT NOT NULL,
    "referrer_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "link_id" TEXT NOT NULL,
    "rule_id" TEXT,
    "source_kind" TEXT NOT NULL,
    "source_id" TEXT NOT NULL,
    "order_id" TEXT,
    "base_micros" BIGINT NOT NULL,
    "basis_points" INTEGER NOT NULL,
    "amount_micros" BIGINT NOT NULL,
    "capped_by" TEXT,
    "currency" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "reverted_micros" BIGINT NOT NULL DEFAULT 0,
    "offset_micros" BIGINT NOT NULL DEFAULT 0,
    "settled_micros" BIGINT NOT NULL DEFAULT 0,
    "settlement_id" TEXT,
    "happened_at" TIMESTAMPTZ(3) NOT NULL,
    "available_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "referral_rewards_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "referral_reversals" (
    "reward_id" TEXT NOT NULL,
    "cause_kind" TEXT NOT NULL,
    "cause_id" TEXT NOT NULL,
    "amount_micros" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "referral_reversals_pkey" PRIMARY KEY ("reward_id","cause_kind","cause_id")
);

-- CreateTable
CREATE TABLE "referral_settlements" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "request_key" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "amount_micros" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "method" TEXT,
    "destination" TEXT,
    "destination_hint" TEXT,
    "reference" TEXT,
    "reason" TEXT,
    "decided_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "referral_settlements_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "referral_progress" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "seen_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "referral_progress_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "referral_links_code_key" ON "referral_links"("code");

-- CreateIndex
CREATE INDEX "referral_links_user_id_created_at_idx" ON "referral_links"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "referrals_referrer_id_created_at_idx" ON "referrals"("referrer_id", "created_at");

-- CreateIndex
CREATE INDEX "referrals_link_id_created_at_idx" ON "referrals"("link_id", "created_at");

-- CreateIndex
CREATE INDEX "referrals_held" ON "referrals"("created_at") WHERE (review = 'held'::text);

-- CreateIndex
CREATE INDEX "person_marks_kind_digest_idx" ON "person_marks"("kind", "digest");

-- CreateIndex
CREATE INDEX "person_marks_seen_at_idx" ON "person_marks"("seen_at");

-- CreateIndex
CREATE INDEX "referral_rules_from_at_idx" ON "referral_rules"("from_at");

-- CreateIndex
CREATE UNIQUE INDEX "one_rule_at_a_time" ON "referral_rules"("basis", "product_id") NULLS NOT DISTINCT WHERE (until_at IS NULL);

-- CreateIndex
CREATE INDEX "referral_rewards_referrer_id_happened_at_idx" ON "referral_rewards"("referrer_id", "happened_at");

-- CreateIndex
CREATE INDEX "referral_rewards_user_id_happened_at_idx" ON "referral_rewards"("user_id", "happened_at");

-- CreateIndex
CREATE INDEX "referral_rewards_order_id_idx" ON "referral_rewards"("order_id");

-- CreateIndex
CREATE INDEX "referral_rewards_settlement_id_idx" ON "referral_rewards"("settlement_id");

-- CreateIndex
CREATE INDEX "rewards_pending" ON "referral_rewards"("available_at", "id") WHERE (state = 'pending'::text);

-- CreateIndex
CREATE INDEX "rewards_available" ON "referral_rewards"("referrer_id", "id") WHERE (state = 'available'::text);

-- CreateIndex
CREATE UNIQUE INDEX "referral_rewards_source_kind_source_id_key" ON "referral_rewards"("source_kind", "source_id");

-- CreateIndex
CREATE INDEX "referral_settlements_user_id_created_at_idx" ON "referral_settlements"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "referral_settlements_state_created_at_idx" ON "referral_settlements"("state", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "referral_settlements_user_id_request_key_key" ON "referral_settlements"("user_id", "request_key");

-- CreateIndex
CREATE INDEX "order_credits_created_at_idx" ON "order_credits"("created_at");

-- CreateIndex

-- CreateIndex
CREATE INDEX "orders_delivered" ON "orders"("delivered_at", "id") WHERE (delivered_at IS NOT NULL);

-- CreateIndex
CREATE INDEX "payments_credited" ON "payments"("credited_at", "id") WHERE (credited_at IS NOT NULL);

-- CreateIndex
CREATE INDEX "renewals_done" ON "renewals"("ended_at", "id") WHERE (state = 'done'::text);

-- AddForeignKey
ALTER TABLE "referral_link_days" ADD CONSTRAINT "referral_link_days_link_id_fkey" FOREIGN KEY ("link_id") REFERENCES "referral_links"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "referral_signals" ADD CONSTRAINT "referral_signals_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "referrals"("user_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "referral_rewards" ADD CONSTRAINT "referral_rewards_settlement_id_fkey" FOREIGN KEY ("settlement_id") REFERENCES "referral_settlements"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "referral_reversals" ADD CONSTRAINT "referral_reversals_reward_id_fkey" FOREIGN KEY ("reward_id") REFERENCES "referral_rewards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE referral_links
  ADD CONSTRAINT code_is_plain CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{2,30}[A-Z0-9]$'),
  ADD CONSTRAINT label_is_short CHECK (length(label) BETWEEN 1 AND 60);
ALTER TABLE referral_link_days ADD CONSTRAINT clicks_are_positive CHECK (clicks > 0);
ALTER TABLE referrals
  ADD CONSTRAINT nobody_refers_themselves CHECK (user_id <> referrer_id),
  ADD CONSTRAINT via_is_known CHECK (via IN ('cookie', 'address', 'typed')),
  ADD CONSTRAINT review_is_known CHECK (review IN ('clear', 'held', 'approved', 'rejected'));
ALTER TABLE referral_rules
  ADD CONSTRAINT basis_is_known CHECK (basis IN ('orders', 'first_top_up')),
  ADD CONSTRAINT product_only_for_orders CHECK (product_id IS NULL OR basis = 'orders'),
  ADD CONSTRAINT share_makes_sense CHECK (basis_points BETWEEN 0 AND 5000),
  ADD CONSTRAINT bounds_are_positive CHECK ((for_days IS NULL OR for_days BETWEEN 1 AND 3650) AND (person_cap_micros IS NULL OR person_cap_micros > 0) AND (month_cap_micros IS NULL OR month_cap_micros > 0));
ALTER TABLE referral_rewards
  ADD CONSTRAINT source_is_known CHECK (source_kind IN ('order', 'renewal', 'top_up', 'reinstated')),
  ADD CONSTRAINT state_is_known CHECK (state IN ('pending', 'available', 'requested', 'paid_out', 'moved', 'reverted')),
  ADD CONSTRAINT amounts_make_sense CHECK (amount_micros > 0 AND base_micros > 0 AND amount_micros <= base_micros AND reverted_micros BETWEEN 0 AND amount_micros
    AND offset_micros BETWEEN 0 AND amount_micros - CASE WHEN state IN ('paid_out', 'moved') THEN 0 ELSE reverted_micros END
    AND settled_micros BETWEEN 0 AND amount_micros - offset_micros),
  ADD CONSTRAINT settled_has_its_settlement CHECK ((state IN ('requested', 'paid_out', 'moved')) = (settlement_id IS NOT NULL) AND (settlement_id IS NOT NULL OR settled_micros = 0)),
  ADD CONSTRAINT reverted_means_all CHECK (state <> 'reverted' OR (reverted_micros = amount_micros AND offset_micros = 0));
ALTER TABLE referral_reversals ADD CONSTRAINT amount_is_not_negative CHECK (amount_micros >= 0),
  ADD CONSTRAINT cause_is_known CHECK (cause_kind IN ('credit', 'refund', 'dispute', 'rejected'));
ALTER TABLE referral_settlements
  ADD CONSTRAINT kind_is_known CHECK (kind IN ('move', 'payout')),
  ADD CONSTRAINT state_fits_kind CHECK (CASE kind WHEN 'move' THEN state = 'moved' ELSE state IN ('requested', 'paid', 'declined', 'withdrawn') END),
  ADD CONSTRAINT amount_is_not_negative CHECK (amount_micros >= 0 AND (amount_micros > 0 OR state <> 'paid')),
  ADD CONSTRAINT destination_goes_with_the_decision CHECK (destination IS NULL OR state = 'requested');
ALTER TABLE referral_progress ADD CONSTRAINT one_row CHECK (id = 1);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON referral_reversals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE ON referral_rewards FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE ON referral_settlements FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Who came through whom is said once. What a person decides about it may change.
CREATE FUNCTION refuse_other_referrer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.user_id, NEW.referrer_id, NEW.link_id, NEW.via, NEW.created_at) IS DISTINCT FROM (OLD.user_id, OLD.referrer_id, OLD.link_id, OLD.via, OLD.created_at) THEN
    RAISE EXCEPTION 'a referral is not rewritten' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER first_touch_holds BEFORE UPDATE ON referrals FOR EACH ROW EXECUTE FUNCTION refuse_other_referrer();

-- A rule only ever ends: a reward that names it can always be explained.
CREATE FUNCTION refuse_other_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.until_at IS NOT NULL OR (to_jsonb(NEW) - 'until_at') <> (to_jsonb(OLD) - 'until_at') THEN
    RAISE EXCEPTION 'a rule is not rewritten' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_ends BEFORE UPDATE OR DELETE ON referral_rules FOR EACH ROW EXECUTE FUNCTION refuse_other_rule();

-- Finds what these referred people share with whoever would earn by them, up to five steps up, and holds them for a person's decision. A
-- referral on which a person has decided stays as it is. Returns how many are held now that were not.
CREATE FUNCTION hold_self_referrals(p_user_ids text[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE v_held int;
BEGIN
  WITH RECURSIVE up AS (
    SELECT r.user_id, r.referrer_id, 1 AS steps FROM referrals r WHERE r.user_id = ANY (p_user_ids)
    UNION ALL
    SELECT u.user_id, r.referrer_id, u.steps + 1 FROM up u JOIN referrals r ON r.user_id = u.referrer_id WHERE u.steps < 5
  )
  INSERT INTO referral_signals (user_id, kind, with_id)
  SELECT DISTINCT u.user_id, mine.kind, u.referrer_id FROM up u
  JOIN person_marks mine ON mine.user_id = u.user_id
  JOIN person_marks theirs ON theirs.user_id = u.referrer_id AND theirs.kind = mine.kind AND theirs.digest = mine.digest
  WHERE u.user_id <> u.referrer_id
  ON CONFLICT DO NOTHING;
  UPDATE referrals r SET review = 'held' WHERE r.user_id = ANY (p_user_ids) AND r.review = 'clear' AND EXISTS (SELECT 1 FROM referral_signals s WHERE s.user_id = r.user_id);
  GET DIAGNOSTICS v_held = ROW_COUNT;
  RETURN v_held;
END $$;

-- Makes the rewards that paid orders, renewals and first top-ups of referred people have earned and that are not there yet: those paid from p_since until
-- p_until, after the place (p_at, p_id), at most p_limit of one kind ('order' | 'renewal' | 'top_up'). Earned on what came from outside, by the rule that held
-- when it was paid (one for the product before one for all), rounded down, within the rule's caps for the person and for the referrer's calendar month
-- (UTC). Somebody whose referral was rejected earns nothing. One run at a time. Returns the place to go on from and how many were read and made.
CREATE FUNCTION accrue_rewards(p_kind text, p_since timestamptz, p_until timestamptz, p_at timestamptz, p_id text, p_limit int, p_hold interval, p_currency text,
  OUT last_at timestamptz, OUT last_id text, OUT seen int, OUT made int) LANGUAGE plpgsql AS $$
DECLARE v record; v_rule referral_rules; v_base bigint; v_amount bigint; v_room bigint; v_cap text; v_basis text := CASE p_kind WHEN 'top_up' THEN 'first_top_up' ELSE 'orders' END;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('sluice.referral_rewards'));
  seen := 0; made := 0;
  FOR v IN
    SELECT s.*, r.referrer_id, r.link_id, r.created_at AS referred_at, r.review, pl.product_id,
           EXISTS (SELECT 1 FROM referral_rewards w WHERE w.source_kind = p_kind AND w.source_id = s.id) AS is_there
    FROM (
      SELECT * FROM (SELECT o.id, o.delivered_at AS at, o.user_id, o.id AS order_id, o.plan_id, 0::bigint AS credited FROM orders o JOIN referrals f ON f.user_id = o.user_id
        WHERE p_kind = 'order' AND o.delivered_at >= p_since AND o.delivered_at <= p_until AND (o.delivered_at, o.id) > (p_at, p_id) ORDER BY o.delivered_at, o.id LIMIT p_limit) a
      UNION ALL
      SELECT * FROM (SELECT n.id, n.ended_at, n.user_id, n.order_id, o.plan_id, n.captured_micros FROM renewals n JOIN referrals f ON f.user_id = n.user_id JOIN orders o ON o.id = n.order_id
        WHERE p_kind = 'renewal' AND n.state = 'done' AND n.ended_at >= p_since AND n.ended_at <= p_until AND (n.ended_at, n.id) > (p_at, p_id) ORDER BY n.ended_at, n.id LIMIT p_limit) b
      UNION ALL
      SELECT * FROM (SELECT y.id, y.credited_at, y.user_id, NULL, NULL, y.credited_micros FROM payments y JOIN referrals f ON f.user_id = y.user_id
        WHERE p_kind = 'top_up' AND y.credited_at >= p_since AND y.credited_at <= p_until AND (y.credited_at, y.id) > (p_at, p_id) ORDER BY y.credited_at, y.id LIMIT p_limit) c
    ) s
    JOIN referrals r ON r.user_id = s.user_id LEFT JOIN plans pl ON pl.id = s.plan_id
    ORDER BY s.at, s.id
  LOOP
    seen := seen + 1; last_at := v.at; last_id := v.id;
    CONTINUE WHEN v.is_there OR v.review = 'rejected' OR v.at < v.referred_at;
    SELECT * INTO v_rule FROM referral_rules u WHERE u.basis = v_basis AND (u.product_id IS NULL OR u.product_id = v.product_id) AND u.from_at <= v.at
      AND (u.until_at IS NULL OR u.until_at > v.at) ORDER BY u.product_id IS NULL LIMIT 1;
    CONTINUE WHEN NOT FOUND OR v_rule.basis_points = 0 OR v.at > v.referred_at + make_interval(days => v_rule.for_days);
    IF p_kind = 'order' THEN
      SELECT h.captured_micros - h.captured_gift_micros INTO v_base FROM ledger_holds h WHERE h.id = v.id;
    ELSIF p_kind = 'renewal' THEN
      v_base := v.credited - renewal_gift(v.id);
    ELSE
      CONTINUE WHEN EXISTS (SELECT 1 FROM payments y WHERE y.user_id = v.user_id AND (y.credited_at, y.id) < (v.at, v.id));
      v_base := v.credited;
    END IF;
    v_amount := v_base * v_rule.basis_points / 10000; v_cap := NULL;
    IF v_rule.person_cap_micros IS NOT NULL THEN
      SELECT greatest(0, v_rule.person_cap_micros - coalesce(sum(w.amount_micros - w.reverted_micros), 0)) INTO v_room FROM referral_rewards w
      WHERE w.user_id = v.user_id AND w.source_kind <> 'reinstated';
      IF v_amount > v_room THEN v_amount := v_room; v_cap := 'person'; END IF;
    END IF;
    IF v_rule.month_cap_micros IS NOT NULL THEN
      SELECT greatest(0, v_rule.month_cap_micros - coalesce(sum(w.amount_micros - w.reverted_micros), 0)) INTO v_room FROM referral_rewards w
      WHERE w.referrer_id = v.referrer_id AND w.source_kind <> 'reinstated'
        AND w.happened_at >= date_trunc('month', v.at, 'UTC') AND w.happened_at < date_trunc('month', v.at, 'UTC') + interval '1 month';
      IF v_amount > v_room THEN v_amount := v_room; v_cap := 'month'; END IF;
    END IF;
    CONTINUE WHEN coalesce(v_amount, 0) <= 0;
    INSERT INTO referral_rewards (id, referrer_id, user_id, link_id, rule_id, source_kind, source_id, order_id, base_micros, basis_points, amount_micros, capped_by, currency,
                                  happened_at, available_at)
    VALUES (new_id('rwd'), v.referrer_id, v.user_id, v.link_id, v_rule.id, p_kind, v.id, v.order_id, v_base, v_rule.basis_points, v_amount, v_cap, p_currency, v.at, v.at + p_hold);
    made := made + 1;
  END LOOP;
END $$;

-- The line in which everything stands that moves a referrer's rewards: what is payable to them, locked before any reward or settlement of theirs.
CREATE FUNCTION lock_referrer(p_user_id text, p_currency text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_payable text := ledger_account(p_user_id, 'referral_payable', p_currency);
BEGIN
  PERFORM 1 FROM ledger_accounts a WHERE a.id = v_payable FOR NO KEY UPDATE;
  RETURN v_payable;
END $$;

-- Pays what a referrer owes (from rewards that were reverted after they had left) out of the rewards that are there, oldest first. p_cause makes the keys
-- of this occasion. The caller stands in the referrer's line.
CREATE FUNCTION offset_referral_debt(p_user_id text, p_currency text, p_cause text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v record; v_payable text := ledger_account(p_user_id, 'referral_payable', p_currency); v_debt_account text; v_debt bigint; v_part bigint; v_outcome text;
BEGIN
  SELECT a.id, -a.balance_micros INTO v_debt_account, v_debt FROM ledger_accounts a WHERE a.owner = p_user_id AND a.kind = 'referral_debt' AND a.currency = p_currency;
  IF coalesce(v_debt, 0) = 0 THEN RETURN; END IF;
  FOR v IN SELECT w.id, w.amount_micros - w.reverted_micros - w.offset_micros AS room FROM referral_rewards w
    WHERE w.referrer_id = p_user_id AND w.state = 'available' AND w.currency = p_currency ORDER BY w.available_at, w.id
  LOOP
    v_part := least(v.room, v_debt);
    CONTINUE WHEN v_part <= 0;
    SELECT p.outcome INTO v_outcome FROM ledger_post('reward_offset:' || v.id || ':' || p_cause, v_payable, v_debt_account, v_part, p_currency, 'referral', v.id, NULL, clock_timestamp()) p;
    IF v_outcome <> 'posted' THEN RAISE EXCEPTION 'offset of % was %', v.id, v_outcome; END IF;
    UPDATE referral_rewards SET offset_micros = offset_micros + v_part WHERE id = v.id;
    v_debt := v_debt - v_part;
    EXIT WHEN v_debt = 0;
  END LOOP;
END $$;

-- Lets rewards go whose hold is over: what is owed becomes payable, debts of their referrer are paid from it, the referrer is told. Those of a referral that is
-- held or rejected stay; shared marks are looked for once more. At most p_limit. Returns how many went, and how many were looked at.
CREATE FUNCTION release_rewards(p_now timestamptz, p_limit int, p_currency text, OUT released int, OUT seen int) LANGUAGE plpgsql AS $$
DECLARE v_ids text[]; v record; v_outcome text; v_mails jsonb; v_payable text; v_referrer text; v_expense text := ledger_account('shop', 'referral_expense', p_currency);
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('sluice.referral_rewards'));
  released := 0;
  SELECT array_agg(x.id), count(*) INTO v_ids, seen FROM (
    SELECT w.id FROM referral_rewards w JOIN referrals r ON r.user_id = w.user_id
    WHERE w.state = 'pending' AND w.available_at <= p_now AND r.review IN ('clear', 'approved') ORDER BY w.available_at, w.id LIMIT p_limit) x;
  IF v_ids IS NULL THEN RETURN; END IF;
  PERFORM hold_self_referrals(ARRAY(SELECT DISTINCT w.user_id FROM referral_rewards w WHERE w.id = ANY (v_ids)));
  FOR v IN SELECT w.referrer_id, w.id FROM referral_rewards w JOIN referrals r ON r.user_id = w.user_id
    WHERE w.id = ANY (v_ids) AND r.review IN ('clear', 'approved') ORDER BY w.referrer_id, w.available_at, w.id
  LOOP
    IF v_referrer IS DISTINCT FROM v.referrer_id THEN
      IF v_referrer IS NOT NULL THEN PERFORM offset_referral_debt(v_referrer, p_currency, 'released:' || v_ids[1]); END IF;
      v_referrer := v.referrer_id;
      v_payable := lock_referrer(v_referrer, p_currency);
    END IF;
    -- read under the lock: a refund or a person may have been first
    UPDATE referral_rewards w SET state = 'available' WHERE w.id = v.id AND w.state = 'pending';
    CONTINUE WHEN NOT FOUND;
    SELECT p.outcome INTO v_outcome FROM referral_rewards w, ledger_post('reward:' || w.id, v_expense, v_payable, w.amount_micros - w.reverted_micros, p_currency, 'referral', w.id, NULL, p_now) p
    WHERE w.id = v.id;
    IF v_outcome <> 'posted' THEN RAISE EXCEPTION 'reward % was %', v.id, v_outcome; END IF;
    released := released + 1;
  END LOOP;
  IF v_referrer IS NOT NULL THEN PERFORM offset_referral_debt(v_referrer, p_currency, 'released:' || v_ids[1]); END IF;
  SELECT jsonb_agg(jsonb_build_object('key', 'rewards:' || x.first, 'userId', x.referrer_id, 'template', 'rewards_available',
      'props', jsonb_build_object('count', x.n, 'amountMicros', x.amount::text, 'currency', p_currency))) INTO v_mails
  FROM (SELECT w.referrer_id, min(w.id) AS first, count(*) AS n, sum(w.amount_micros - w.reverted_micros - w.offset_micros) AS amount FROM referral_rewards w
        WHERE w.id = ANY (v_ids) AND w.state = 'available' GROUP BY w.referrer_id HAVING sum(w.amount_micros - w.reverted_micros - w.offset_micros) > 0) x;
  IF v_mails IS NOT NULL THEN PERFORM queue_user_emails(v_mails); END IF;
END $$;

-- Takes of what is left of a reward the share that p_part is of p_whole back, once per cause: from what is payable, or from the payout that waits for a decision; what has left
-- already becomes a debt that later rewards pay. Rounded up. Outcome: 'reverted' | 'repeated' | 'not_found'.
CREATE FUNCTION revert_reward(p_reward_id text, p_cause_kind text, p_cause_id text, p_part bigint, p_whole bigint, OUT outcome text, OUT taken bigint) LANGUAGE plpgsql AS $$
DECLARE v referral_rewards; v_payable text; v_now timestamptz := clock_timestamp(); v_part bigint; v_expense text; v_outcome text;
  v_key text := p_reward_id || ':' || p_cause_kind || ':' || p_cause_id;
BEGIN
  taken := 0;
  SELECT lock_referrer(w.referrer_id, w.currency) INTO v_payable FROM referral_rewards w WHERE w.id = p_reward_id;
  SELECT * INTO v FROM referral_rewards w WHERE w.id = p_reward_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  IF EXISTS (SELECT 1 FROM referral_reversals x WHERE x.reward_id = p_reward_id AND x.cause_kind = p_cause_kind AND x.cause_id = p_cause_id) THEN outcome := 'repeated'; RETURN; END IF;
  taken := least(v.amount_micros - v.reverted_micros, ceil((v.amount_micros - v.reverted_micros)::numeric * greatest(p_part, 0) / greatest(p_whole, 1))::bigint);
  outcome := 'reverted';
  INSERT INTO referral_reversals (reward_id, cause_kind, cause_id, amount_micros, at) VALUES (p_reward_id, p_cause_kind, p_cause_id, taken, v_now);
  IF taken = 0 THEN RETURN; END IF;
  v_expense := ledger_account('shop', 'referral_expense', v.currency);
  IF v.state = 'available' THEN
    v_part := least(taken, v.amount_micros - v.reverted_micros - v.offset_micros);
    IF v_part > 0 THEN
      SELECT p.outcome INTO v_outcome FROM ledger_post('revert:' || v_key, v_payable, v_expense, v_part, v.currency, 'referral', v.id, NULL, v_now) p;
      IF v_outcome <> 'posted' THEN RAISE EXCEPTION 'revert % was %', v_key, v_outcome; END IF;
    END IF;
    -- What had paid an older debt was not earned: that much is owed again.
    IF taken > v_part THEN
      SELECT p.outcome INTO v_outcome FROM ledger_post('revert_debt:' || v_key, ledger_account(v.referrer_id, 'referral_debt', v.currency), v_expense, taken - v_part, v.currency, 'referral', v.id, NULL, v_now) p;
      IF v_outcome <> 'posted' THEN RAISE EXCEPTION 'revert % was %', v_key, v_outcome; END IF;
    END IF;
    UPDATE referral_rewards SET reverted_micros = reverted_micros + taken, offset_micros = offset_micros - (taken - v_part),
      state = CASE WHEN reverted_micros + taken = amount_micros THEN 'reverted' ELSE state END WHERE id = v.id;
  ELSIF v.state = 'requested' THEN
    v_part := least(taken, v.settled_micros);
    IF v_part > 0 THEN
      SELECT p.outcome INTO v_outcome FROM ledger_post('revert:' || v_key, ledger_account('shop', 'payouts_pending', v.currency), v_expense, v_part, v.currency, 'referral', v.id, NULL, v_now) p;
      IF v_outcome <> 'posted' THEN RAISE EXCEPTION 'revert % was %', v_key, v_outcome; END IF;
    END IF;
    IF taken > v_part THEN
      SELECT p.outcome INTO v_outcome FROM ledger_post('revert_debt:' || v_key, ledger_account(v.referrer_id, 'referral_debt', v.currency), v_expense, taken - v_part, v.currency, 'referral', v.id, NULL, v_now) p;
      IF v_outcome <> 'posted' THEN RAISE EXCEPTION 'revert % was %', v_key, v_outcome; END IF;
    END IF;
    UPDATE referral_rewards SET reverted_micros = reverted_micros + taken, settled_micros = settled_micros - v_part, offset_micros = offset_micros - (taken - v_part) WHERE id = v.id;
    UPDATE referral_settlements SET amount_micros = amount_micros - v_part WHERE id = v.settlement_id;
    -- all of it: the reward is over, and leaves its payout
    UPDATE referral_rewards SET state = 'reverted', settlement_id = NULL WHERE id = v.id AND reverted_micros = amount_micros;
    UPDATE referral_settlements SET state = 'withdrawn', destination = NULL, ended_at = v_now, reason = 'reverted' WHERE id = v.settlement_id AND amount_micros = 0;
    IF FOUND THEN UPDATE referral_rewards SET state = 'available', settlement_id = NULL WHERE settlement_id = v.settlement_id; END IF;
  ELSE
    IF v.state IN ('paid_out', 'moved') THEN
      SELECT p.outcome INTO v_outcome FROM ledger_post('revert_debt:' || v_key, ledger_account(v.referrer_id, 'referral_debt', v.currency), v_expense, taken, v.currency, 'referral', v.id, NULL, v_now) p;
      IF v_outcome <> 'posted' THEN RAISE EXCEPTION 'revert % was %', v_key, v_outcome; END IF;
    END IF;
    UPDATE referral_rewards SET reverted_micros = reverted_micros + taken,
      state = CASE WHEN state = 'pending' AND reverted_micros + taken = amount_micros THEN 'reverted' ELSE state END WHERE id = v.id;
  END IF;
  PERFORM offset_referral_debt(v.referrer_id, v.currency, v_key);
END $$;

-- Takes back what refunds, credits and disputes from p_since on have undone, each once for each reward they concern, at most p_limit; and gives rewards anew
-- where a dispute was won. Returns how many were dealt with.
-- A credit takes the share in which it gives back what of its order came from outside and was still there; a top-up's refund or dispute that of the
-- credited amount; a dispute that of what was bought with money from its payment on until it was opened.
CREATE FUNCTION revert_rewards(p_since timestamptz, p_until timestamptz, p_limit int, OUT reverted int, OUT reinstated int) LANGUAGE plpgsql AS $$
DECLARE v record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('sluice.referral_rewards'));
  reverted := 0;
  FOR v IN
    SELECT * FROM (
      SELECT w.id, 'credit' AS kind, c.id AS cause, c.created_at AS at, c.amount_micros - c.gift_micros AS part,
          (coalesce((SELECT h.captured_micros - h.captured_gift_micros FROM ledger_holds h WHERE h.id = c.order_id), 0)
        + coalesce((SELECT sum(n.captured_micros - renewal_gift(n.id)) FROM renewals n WHERE n.order_id = c.order_id AND n.captured_micros > 0 AND n.ended_at <= c.created_at), 0)
        - coalesce((SELECT sum(e.amount_micros - e.gift_micros) FROM order_credits e WHERE e.order_id = c.order_id AND e.cause <> 'downtime' AND (e.created_at, e.id) < (c.created_at, c.id)), 0))::bigint AS whole
      FROM order_credits c JOIN referral_rewards w ON w.order_id = c.order_id AND w.happened_at <= c.created_at
      WHERE c.created_at >= p_since AND c.created_at <= p_until AND c.cause <> 'downtime'
        AND NOT EXISTS (SELECT 1 FROM referral_reversals x WHERE x.reward_id = w.id AND x.cause_kind = 'credit' AND x.cause_id = c.id)
      UNION ALL
      SELECT w.id, 'refund', f.id, f.ended_at, f.amount_micros, (y.credited_micros
        - coalesce((SELECT sum(g.amount_micros) FROM payment_refunds g WHERE g.payment_id = y.id AND g.state = 'done' AND (g.ended_at, g.id) < (f.ended_at, f.id)), 0))::bigint
      FROM payment_refunds f JOIN payments y ON y.id = f.payment_id JOIN referral_rewards w ON w.source_kind = 'top_up' AND w.source_id = y.id
      WHERE f.state = 'done' AND f.ended_at >= p_since AND f.ended_at <= p_until
        AND NOT EXISTS (SELECT 1 FROM referral_reversals x WHERE x.reward_id = w.id AND x.cause_kind = 'refund' AND x.cause_id = f.id)
      UNION ALL
      SELECT w.id, 'dispute', d.id, d.opened_at, d.amount_micros, CASE w.source_kind WHEN 'top_up' THEN y.credited_micros
        ELSE (SELECT sum(b.base_micros) FROM referral_rewards b WHERE b.user_id = d.user_id AND b.source_kind IN ('order', 'renewal')
          AND b.happened_at >= y.credited_at AND b.happened_at <= d.opened_at)::bigint END
      FROM payment_disputes d JOIN payments y ON y.id = d.payment_id JOIN referral_rewards w ON w.user_id = d.user_id
        AND (w.source_kind = 'top_up' AND w.source_id = y.id OR w.source_kind IN ('order', 'renewal') AND w.happened_at >= y.credited_at AND w.happened_at <= d.opened_at)
      WHERE d.opened_at >= p_since AND d.opened_at <= p_until
        AND NOT EXISTS (SELECT 1 FROM referral_reversals x WHERE x.reward_id = w.id AND x.cause_kind = 'dispute' AND x.cause_id = d.id)
    ) due ORDER BY at, cause, id LIMIT p_limit
  LOOP
    PERFORM revert_reward(v.id, v.kind, v.cause, v.part, v.whole);
    reverted := reverted + 1;
  END LOOP;

  INSERT INTO referral_rewards (id, referrer_id, user_id, link_id, rule_id, source_kind, source_id, order_id, base_micros, basis_points, amount_micros, currency, happened_at, available_at)
  SELECT new_id('rwd'), w.referrer_id, w.user_id, w.link_id, w.rule_id, 'reinstated', w.id || ':' || d.id, NULL, x.amount_micros, 10000, x.amount_micros, w.currency, d.ended_at, d.ended_at
  FROM payment_disputes d JOIN referral_reversals x ON x.cause_kind = 'dispute' AND x.cause_id = d.id AND x.amount_micros > 0 JOIN referral_rewards w ON w.id = x.reward_id
  WHERE d.state = 'won' AND d.ended_at >= p_since AND d.ended_at <= p_until
  ON CONFLICT (source_kind, source_id) DO NOTHING;
  GET DIAGNOSTICS reinstated = ROW_COUNT;
END $$;

-- Takes all rewards that are there to where their owner wants them: 'move' to the balance at once (debts there first), 'payout' set aside until a person decides.
-- Of two at once the second finds none. Outcome: 'settled' | 'repeated' (the key is there) | 'key_reused' (for another kind)
-- | 'nothing_available' | 'below_minimum' (amount = what is there).
CREATE FUNCTION settle_rewards(p_id text, p_user_id text, p_request_key text, p_kind text, p_minimum bigint, p_currency text, p_method text, p_destination text, p_hint text,
  OUT outcome text, OUT settlement_id text, OUT amount bigint) LANGUAGE plpgsql AS $$
DECLARE v_old record; v_ids text[]; v_now timestamptz := clock_timestamp(); v_part text; v_payable text;
BEGIN
  v_payable := lock_referrer(p_user_id, p_currency);
  SELECT s.id, s.kind, s.amount_micros INTO v_old FROM referral_settlements s WHERE s.user_id = p_user_id AND s.request_key = p_request_key;
  IF FOUND THEN
    settlement_id := v_old.id; amount := v_old.amount_micros; outcome := CASE WHEN v_old.kind = p_kind THEN 'repeated' ELSE 'key_reused' END;
    RETURN;
  END IF;
  SELECT array_agg(w.id), coalesce(sum(w.amount_micros - w.reverted_micros - w.offset_micros), 0)::bigint INTO v_ids, amount FROM referral_rewards w
  WHERE w.referrer_id = p_user_id AND w.state = 'available' AND w.currency = p_currency AND w.amount_micros > w.reverted_micros + w.offset_micros;
  IF amount = 0 THEN outcome := 'nothing_available'; RETURN; END IF;
  IF amount < p_minimum THEN outcome := 'below_minimum'; RETURN; END IF;
  settlement_id := p_id;
  INSERT INTO referral_settlements (id, user_id, request_key, kind, state, amount_micros, currency, method, destination, destination_hint, created_at, ended_at)
  VALUES (p_id, p_user_id, p_request_key, p_kind, CASE p_kind WHEN 'move' THEN 'moved' ELSE 'requested' END, amount, p_currency, p_method, p_destination, p_hint, v_now,
          CASE p_kind WHEN 'move' THEN v_now END);
  UPDATE referral_rewards w SET state = CASE p_kind WHEN 'move' THEN 'moved' ELSE 'requested' END, settlement_id = p_id, settled_micros = w.amount_micros - w.reverted_micros - w.offset_micros
  WHERE w.id = ANY (v_ids);
  IF p_kind = 'move' THEN
    SELECT g.outcome INTO v_part FROM ledger_give('reward_move:' || p_id, v_payable, p_user_id, amount, p_currency, 'referral', p_id, v_now) g;
    INSERT INTO outbox_jobs (name, payload) VALUES ('orders.finish_intents', jsonb_build_object('userId', p_user_id));
  ELSE
    SELECT p.outcome INTO v_part FROM ledger_post('payout:' || p_id, v_payable, ledger_account('shop', 'payouts_pending', p_currency),
      amount, p_currency, 'referral', p_id, NULL, v_now) p;
  END IF;
  IF v_part <> 'posted' THEN RAISE EXCEPTION 'settlement % was %', p_id, v_part; END IF;
  outcome := 'settled';
END $$;

-- Ends a payout that waits: 'paid' (money has left by its method, under a reference), 'declined' or 'withdrawn' (the rewards are there again, debts are paid from
-- them). p_amount is what whoever decides has seen. Outcome: 'ended' | 'already_ended' | 'not_found' | 'amount_changed' (amount = what it is now).
CREATE FUNCTION end_payout(p_id text, p_end text, p_amount bigint, p_reference text, p_reason text, p_decided_by text, OUT outcome text, OUT amount bigint) LANGUAGE plpgsql AS $$
DECLARE v referral_settlements; v_now timestamptz := clock_timestamp(); v_outcome text;
BEGIN
  PERFORM lock_referrer(s.user_id, s.currency) FROM referral_settlements s WHERE s.id = p_id AND s.kind = 'payout';
  SELECT * INTO v FROM referral_settlements s WHERE s.id = p_id AND s.kind = 'payout' FOR NO KEY UPDATE;
  IF NOT FOUND THEN outcome := 'not_found'; RETURN; END IF;
  amount := v.amount_micros;
  IF v.state <> 'requested' THEN outcome := 'already_ended'; RETURN; END IF;
  IF p_end = 'paid' AND p_amount IS DISTINCT FROM v.amount_micros THEN outcome := 'amount_changed'; RETURN; END IF;
  SELECT p.outcome INTO v_outcome FROM ledger_post('payout_' || p_end || ':' || p_id, ledger_account('shop', 'payouts_pending', v.currency),
    CASE p_end WHEN 'paid' THEN ledger_account('shop', 'payouts:' || v.method, v.currency) ELSE ledger_account(v.user_id, 'referral_payable', v.currency) END,
    v.amount_micros, v.currency, 'referral', p_id, NULL, v_now) p;
  IF v_outcome <> 'posted' THEN RAISE EXCEPTION 'payout % was %', p_id, v_outcome; END IF;
  UPDATE referral_settlements SET state = p_end, reference = p_reference, reason = p_reason, decided_by = p_decided_by, ended_at = v_now, destination = NULL WHERE id = p_id;
  IF p_end = 'paid' THEN
    UPDATE referral_rewards SET state = 'paid_out' WHERE settlement_id = p_id;
  ELSE
    UPDATE referral_rewards SET state = 'available', settlement_id = NULL, settled_micros = 0 WHERE settlement_id = p_id;
    PERFORM offset_referral_debt(v.user_id, v.currency, p_end || ':' || p_id);
  END IF;
  IF p_end <> 'withdrawn' THEN
    PERFORM queue_user_email('payout_' || p_end || ':' || p_id, v.user_id, 'payout_' || p_end, jsonb_strip_nulls(jsonb_build_object('amountMicros', v.amount_micros::text,
      'currency', v.currency, 'hint', v.destination_hint, 'reference', p_reference, 'reason', p_reason)));
  END IF;
  outcome := 'ended';
END $$;
