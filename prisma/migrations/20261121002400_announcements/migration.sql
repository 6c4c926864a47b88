-- Announcements: news, changes of service, maintenance; who was told of what, and what was changed afterwards.
SET lock_timeout = '5s';

CREATE TABLE "announcements" (
    "id" TEXT NOT NULL,
    "slug" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'draft',
    "title_en" TEXT NOT NULL,
    "title_ru" TEXT NOT NULL,
    "text_en" TEXT NOT NULL,
    "text_ru" TEXT NOT NULL,
    "begins_at" TIMESTAMPTZ(3),
    "ends_at" TIMESTAMPTZ(3),
    "is_whole_shop" BOOLEAN NOT NULL DEFAULT false,
    "suppliers" TEXT[] NOT NULL DEFAULT '{}',
    "offer_ids" TEXT[] NOT NULL DEFAULT '{}',
    "product_ids" TEXT[] NOT NULL DEFAULT '{}',
    "country_codes" TEXT[] NOT NULL DEFAULT '{}',
    "revision" INTEGER NOT NULL DEFAULT 1,
    "round" INTEGER NOT NULL DEFAULT 0,
    "publish_at" TIMESTAMPTZ(3),
    "published_at" TIMESTAMPTZ(3),
    "withdrawn_at" TIMESTAMPTZ(3),
    "told_after" TEXT NOT NULL DEFAULT '',
    "told_at" TIMESTAMPTZ(3),
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "announcements_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "announcements_kind" CHECK (kind IN ('news', 'change', 'maintenance')),
    CONSTRAINT "announcements_state" CHECK (state IN ('draft', 'scheduled', 'published', 'withdrawn')),
    CONSTRAINT "announcements_scheduled" CHECK (state <> 'scheduled' OR publish_at IS NOT NULL),
    CONSTRAINT "announcements_published" CHECK (state IN ('draft', 'scheduled') = (published_at IS NULL)),
    CONSTRAINT "announcements_maintenance_whole" CHECK (kind <> 'maintenance' OR (begins_at < ends_at) IS TRUE AND
      (is_whole_shop OR cardinality(suppliers) + cardinality(offer_ids) + cardinality(product_ids) + cardinality(country_codes) > 0))
);

CREATE TABLE "announcement_changes" (
    "id" BIGSERIAL NOT NULL,
    "announcement_id" TEXT NOT NULL,
    "what" TEXT NOT NULL,
    "before" JSONB NOT NULL DEFAULT '{}',
    "changed_by" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "announcement_changes_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "announcement_changes_what" CHECK (what IN ('texts', 'times', 'withdrawn'))
);

CREATE TABLE "announcement_orders" (
    "announcement_id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "round" INTEGER NOT NULL,
    "begins_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "told_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "announcement_orders_pkey" PRIMARY KEY ("announcement_id","order_id")
);

CREATE UNIQUE INDEX "announcements_slug_key" ON "announcements"("slug");
CREATE INDEX "announcements_state_published_at_id_idx" ON "announcements"("state", "published_at", "id");
CREATE INDEX "announcements_maintenance" ON "announcements"("ends_at") WHERE ((kind = 'maintenance') AND (state = ANY (ARRAY['published', 'withdrawn'])));
CREATE INDEX "announcement_changes_announcement_id_id_idx" ON "announcement_changes"("announcement_id", "id");
CREATE INDEX "announcement_orders_announcement_id_round_user_id_idx" ON "announcement_orders"("announcement_id", "round", "user_id");

ALTER TABLE "announcement_changes" ADD CONSTRAINT "announcement_changes_announcement_id_fkey" FOREIGN KEY ("announcement_id") REFERENCES "announcements"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "announcement_orders" ADD CONSTRAINT "announcement_orders_announcement_id_fkey" FOREIGN KEY ("announcement_id") REFERENCES "announcements"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What was public once is not rewritten.
CREATE FUNCTION refuse_announcement_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the history of an announcement is only added to';
END $$;
CREATE TRIGGER announcement_changes_are_final BEFORE UPDATE OR DELETE ON announcement_changes FOR EACH ROW EXECUTE FUNCTION refuse_announcement_history_change();

-- The rows of lib/notifications/template-rules.ts.
INSERT INTO notice_templates (template, type, is_mail_required, is_mail_only) VALUES
  ('announcement_news', 'news', false, false),
  ('announcement_change', 'service', true, false),
  ('announcement_maintenance', 'service', false, false),
  ('maintenance_changed', 'service', false, false);

-- The live proxies that a maintenance touches. Of each kind of place that it names (suppliers, offers, products, countries) one must fit; a kind it does not name
-- narrows nothing. A proxy that ends before the maintenance begins is not touched, unless its order renews itself. Written so that a condition of the
-- caller (a person, an order) goes into its plan.
CREATE FUNCTION maintenance_touches(p_announcement_id text) RETURNS TABLE (user_id text, order_id text, allocation_id text) LANGUAGE sql STABLE AS $$
  SELECT a.user_id, a.order_id, a.id
  FROM announcements n
  JOIN allocations a ON a.state IN ('active', 'in_grace') AND greatest(a.expires_at, a.grace_until) > now()
  JOIN orders o ON o.id = a.order_id AND (greatest(a.expires_at, a.grace_until) > n.begins_at OR o.auto_renew)
  JOIN offers f ON f.id = a.offer_id
  JOIN plans p ON p.id = f.plan_id
  WHERE n.id = p_announcement_id AND n.kind = 'maintenance' AND (n.is_whole_shop OR
    (cardinality(n.suppliers) = 0 OR f.supplier = ANY (n.suppliers)) AND (cardinality(n.offer_ids) = 0 OR a.offer_id = ANY (n.offer_ids)) AND
    (cardinality(n.product_ids) = 0 OR p.product_id = ANY (n.product_ids)) AND (cardinality(n.country_codes) = 0 OR a.country_code = ANY (n.country_codes)))
$$;

-- Tells the next people of an announcement, some hundreds in one call, and returns whether others may be left. The announcement's row is locked, so of two workers
-- one waits and goes on where the other stopped; what was told and how far it went is written in the same transaction, so a killed run loses and doubles nothing.
-- News and changes: everybody who had an account when it was published, once, under 'announcement:<id>:<person>'. A maintenance that is not over: first whoever
-- was told of other times (or, once withdrawn, of any), under 'maintenance_changed:<id>:<round>:<person>'; then whoever has touched orders that were not told of,
-- under 'maintenance:<id>:<first of these orders>'. A pass that is through begins anew at the next call, for orders that came since; when the maintenance has
-- begun nobody new is told.
CREATE FUNCTION tell_announcement(p_announcement_id text, p_limit int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  n announcements;
  v_title jsonb;
  v_facts jsonb;
  v_last text;
  v_count int;
BEGIN
  SELECT * INTO n FROM announcements WHERE id = p_announcement_id FOR NO KEY UPDATE;
  IF n.id IS NULL OR n.state NOT IN ('published', 'withdrawn') THEN RETURN false; END IF;
  v_title := jsonb_build_object('slug', n.slug, 'titleEn', n.title_en, 'titleRu', n.title_ru);

  IF n.kind <> 'maintenance' THEN
    IF n.state = 'withdrawn' OR n.told_at IS NOT NULL THEN RETURN false; END IF;
    -- The beginning of the text: the whole of it, a hundred thousand times, would be gigabytes.
    v_title := v_title || jsonb_build_object('leadEn', left(n.text_en, 600), 'leadRu', left(n.text_ru, 600), 'isCutEn', length(n.text_en) > 600, 'isCutRu', length(n.text_ru) > 600,
      'beginsAt', to_char(n.begins_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
    SELECT jsonb_agg(jsonb_build_object('key', 'announcement:' || n.id || ':' || u.id, 'userId', u.id, 'template', 'announcement_' || n.kind, 'props', v_title)), max(u.id), count(*)
    INTO v_facts, v_last, v_count
    FROM (SELECT id FROM users WHERE id > n.told_after AND created_at <= n.published_at ORDER BY id LIMIT p_limit) u;
    IF v_facts IS NOT NULL THEN PERFORM tell_customers(v_facts); END IF;
    UPDATE announcements SET told_after = coalesce(v_last, told_after), told_at = CASE WHEN v_count < p_limit THEN now() END WHERE id = n.id;
    RETURN v_count = p_limit;
  END IF;

  IF n.ends_at <= now() THEN RETURN false; END IF;
  v_title := v_title || jsonb_build_object('beginsAt', to_char(n.begins_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'endsAt', to_char(n.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));

  WITH people AS (
    SELECT DISTINCT r.user_id FROM announcement_orders r WHERE r.announcement_id = n.id AND r.round < n.round ORDER BY 1 LIMIT p_limit
  ), old AS (
    SELECT r.user_id, jsonb_agg(r.order_id ORDER BY r.order_id) AS orders, min(r.begins_at) AS begins_at, min(r.ends_at) AS ends_at
    FROM announcement_orders r JOIN people ON people.user_id = r.user_id WHERE r.announcement_id = n.id AND r.round < n.round GROUP BY r.user_id
  ), marked AS (
    UPDATE announcement_orders r SET round = n.round, begins_at = n.begins_at, ends_at = n.ends_at, told_at = now()
    FROM people WHERE r.announcement_id = n.id AND r.user_id = people.user_id AND r.round < n.round
  )
  SELECT jsonb_agg(jsonb_build_object('key', 'maintenance_changed:' || n.id || ':' || n.round || ':' || o.user_id, 'userId', o.user_id, 'template', 'maintenance_changed', 'props',
    v_title || jsonb_build_object('isCancelled', n.state = 'withdrawn', 'wasBeginsAt', to_char(o.begins_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
      'wasEndsAt', to_char(o.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'orderIds', jsonb_path_query_array(o.orders, '$[0 to 9]'), 'more', greatest(jsonb_array_length(o.orders) - 10, 0)))),
    count(*) INTO v_facts, v_count FROM old o;
  IF v_facts IS NOT NULL THEN
    PERFORM tell_customers(v_facts);
    RETURN true;
  END IF;

  IF n.state = 'withdrawn' OR n.begins_at <= now() AND n.told_at IS NOT NULL THEN RETURN false; END IF;
  WITH people AS MATERIALIZED (
    SELECT DISTINCT t.user_id FROM maintenance_touches(n.id) t
    WHERE t.user_id > n.told_after AND NOT EXISTS (SELECT FROM announcement_orders r WHERE r.announcement_id = n.id AND r.order_id = t.order_id)
    ORDER BY 1 LIMIT p_limit
  ), added AS (
    INSERT INTO announcement_orders (announcement_id, order_id, user_id, round, begins_at, ends_at)
    SELECT DISTINCT n.id, t.order_id, t.user_id, n.round, n.begins_at, n.ends_at
    FROM people CROSS JOIN LATERAL (SELECT m.user_id, m.order_id FROM maintenance_touches(n.id) m WHERE m.user_id = people.user_id) t
    ON CONFLICT DO NOTHING RETURNING user_id, order_id
  ), new AS (
    SELECT a.user_id, jsonb_agg(a.order_id ORDER BY a.order_id) AS orders FROM added a GROUP BY a.user_id
  )
  SELECT jsonb_agg(jsonb_build_object('key', 'maintenance:' || n.id || ':' || (w.orders ->> 0), 'userId', w.user_id, 'template', 'announcement_maintenance', 'props',
    v_title || jsonb_build_object('orderIds', jsonb_path_query_array(w.orders, '$[0 to 9]'), 'more', greatest(jsonb_array_length(w.orders) - 10, 0)))),
    (SELECT max(user_id) FROM people), (SELECT count(*) FROM people) INTO v_facts, v_last, v_count FROM new w;
  IF v_facts IS NOT NULL THEN PERFORM tell_customers(v_facts); END IF;
  UPDATE announcements SET told_after = CASE WHEN v_count < p_limit THEN '' ELSE v_last END,
    told_at = CASE WHEN v_count < p_limit THEN coalesce(told_at, now()) ELSE told_at END WHERE id = n.id;
  RETURN v_count = p_limit;
END $$;
