"""The statements that write the benchmark's hospital: visits and who came, texts, device tests, calls, write-backs.

In each, ``i`` is the number of a visit and ``k`` that of a person, text or stream of it; every twentieth visit has no
patient, every other of those nobody at all. Times are seconds from the planned start. What looks like chance is a hash
of the number, so that the same number of visits is the same hospital. The shares are those of the demonstration's
history (:mod:`ehrconnector.history`).
"""

PEOPLE = 10
DAYS = 365
# What Epic was told is shown of at most 30 days.
DAYS_TOLD = 32

# Neither the reports' own triggers nor foreign keys, which hold, are to look at forty million rows one by one.
PLAN = """
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.thousandth(number bigint, of_what int) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT (((hashint8extended(number, of_what) %% 1000) + 1000) %% 1000)::int';
CREATE TEMPORARY TABLE plan ON COMMIT DROP AS
SELECT i, md5('visit' || i)::uuid AS visit, md5('meeting' || i)::uuid AS meeting,
       date_trunc('day', %(now)s::timestamptz) - make_interval(days => 1 + i %% %(days)s)
           + make_interval(secs => 28800 + (i * 61 %% 36000)) AS start,
       600 + i %% 1800 * 7919 %% 1800 AS length, i * 31 %% 300 AS early,
       CASE WHEN i %% 20 = 17 THEN 'patient_no_show' WHEN i %% 20 > 17 THEN 'nobody_joined' ELSE 'completed' END AS how,
       i %% 3 AS place, (%(endpoints)s::uuid[])[1 + i %% 3] AS endpoint, 'DEP' || i %% 23 AS department,
       'VV' || 15 * (1 + i %% 4) AS visit_type
  FROM generate_series(1, %(visits)s) AS i;
"""

PRESENCE = """
INSERT INTO visits_visit (id, organization_id, endpoint_id, reference, session_id, session_index, conference_index,
    state, version, starts_at, ends_at, time_zone, visit_type, visit_type_name, department, is_group,
    interpreter_language, created_at, updated_at)
SELECT visit, %(organization)s, endpoint, 'B' || lpad(i::text, 9, '0'), '', md5('session' || i), '', 'scheduled', 1,
    start, start + interval '30 minutes', 'America/Chicago', visit_type, '', department, false, '', start, start
  FROM plan;
INSERT INTO meetings_meeting (id, organization_id, visit_id, external_id, generation, tenant_id, client_id,
    organizer_object_id, patient_link_is_fallback, option_differences, state, call_ends, created_at, sync_attempts,
    error_code, reconcile_attempts, reconcile_error, started_at, ended_at, reconciled_at)
SELECT meeting, %(organization)s, visit, md5('external' || i), 1, meeting, meeting, meeting, false, '{}', 'ended', '{}',
    start, 0, '', 0, '', start, start + make_interval(secs => 60 + length),
    start + make_interval(secs => 240 + length)
  FROM plan;
INSERT INTO meetings_participant (id, organization_id, meeting_id, role, ordinal, ehr_user_id, ehr_user_index, state,
    state_at, request_id, created_at)
SELECT md5('person' || i || '.' || k)::uuid, %(organization)s, meeting,
    CASE WHEN k = 0 THEN 'provider' WHEN k = 1 THEN 'patient' ELSE 'guest' END, CASE WHEN k > 1 THEN k ELSE 1 END, '',
    CASE WHEN k = 0 THEN 'provider' || i %% 400 ELSE '' END, 'left', start, '', start
  FROM plan, generate_series(0, %(people)s - 1) AS k;
INSERT INTO meetings_presenceevent (id, participant_id, kind, sequence, at, source, is_superseded, created_at)
SELECT md5(i || '.' || k || kind)::uuid, md5('person' || i || '.' || k)::uuid, kind, sequence,
    start + make_interval(secs => seconds), 'graph', false, start
  FROM plan, generate_series(0, %(people)s - 1) AS k, LATERAL (VALUES
    ('lobby_entered', 1, -10 * k - early), ('connected', 2, 60 + k), ('disconnected', 3, 60 + length - k)
  ) AS events (kind, sequence, seconds)
 WHERE how = 'completed' AND (k > 0 OR kind <> 'lobby_entered')
    OR how = 'patient_no_show' AND k = 0 AND kind <> 'lobby_entered';
"""

# Of a thousand texts, how many ended how, with the code that each supplier gives.
TEXTS = """
CREATE TEMPORARY TABLE fate ON COMMIT DROP AS
SELECT generate_series(1, share) AS one, state, status, acs, twilio, taken FROM (VALUES
    (905, 'delivered', 'sent', '', '', true), (20, 'accepted', '', '', '', true),
    (18, 'undelivered', 'unreachable', '4006', '30003', true),
    (12, 'undelivered', 'no_such_number', '4004', '30005', true),
    (8, 'undelivered', 'spam', '4009', '30007', true),
    (6, 'undelivered', 'other_error', '5000', '30008', true),
    (4, 'undelivered', 'recipient_blocked', '4000', '30004', true),
    (3, 'undelivered', 'blocked_number', '4005', '30032', true),
    (8, 'failed', 'blocked_by_recipient', '4007', '21610', false),
    (7, 'failed', 'invalid_number', '4001', '21211', false),
    (5, 'suppressed', '', '', '', false), (3, 'withdrawn', '', '', '', false), (1, 'expired', '', '', '', false)
) AS shares (share, state, status, acs, twilio, taken);
CREATE TEMPORARY TABLE message ON COMMIT DROP AS
SELECT plan.*, k, state, status, taken, CASE WHEN place = 2 THEN twilio ELSE acs END AS code,
       CASE WHEN k = 0 THEN start - make_interval(days => 3 + i %% 25) ELSE start - interval '1 day' END AS due
  FROM plan CROSS JOIN generate_series(0, 1) AS k
  JOIN (SELECT row_number() OVER () - 1 AS number, fate.* FROM fate) AS fates
    ON fates.number = pg_temp.thousandth(i, 10 + k);
INSERT INTO sms_smsmessage (id, organization_id, visit_id, kind, visit_version, contact_revision, offset_minutes,
    expires_at, copy, resend_reason, route, number_id, supplier, supplier_message_id, supplier_code, report_status,
    segments, words_index, number_ending, first_sent_at, accepted_at, delivered_at, checks, state, due_at, attempts,
    error_code, created_at, finished_at)
SELECT md5('text' || i || '.' || k)::uuid, %(organization)s, visit,
    CASE k WHEN 0 THEN 'scheduled' ELSE 'reminder' END, 1, 1, CASE k WHEN 0 THEN 0 ELSE 1440 END, start, 0, '', 0,
    (%(numbers)s::uuid[])[1 + place],
    CASE WHEN place = 2 THEN 'twilio' ELSE 'acs' END,
    CASE WHEN taken THEN md5('supplier' || i || '.' || k) ELSE '' END, code, status,
    CASE WHEN taken THEN 1 + i %% 2 ELSE 0 END, '', '', CASE WHEN taken THEN due END, CASE WHEN taken THEN due END,
    CASE WHEN state = 'delivered' THEN due + make_interval(secs => 2 + i %% 9) END, 0, state, due,
    CASE WHEN taken THEN 1 ELSE 0 END, '', due, due + interval '10 seconds'
  FROM message;
INSERT INTO reports_visitfact (visit_id, organization_id, endpoint_id, is_production, starts_at, status,
    microsoft_status, duration, lobby_wait, waits, gave_up, peak, total, department, visit_type, provider_index,
    join_index, texts_sent, texts_delivered, may_differ)
SELECT visit, %(organization)s, endpoint, false,
    start + make_interval(secs => CASE how WHEN 'completed' THEN 61 WHEN 'patient_no_show' THEN 60 ELSE 0 END), how,
    CASE how WHEN 'completed' THEN 'completed' WHEN 'patient_no_show' THEN 'no_show' ELSE '' END,
    CASE how WHEN 'completed' THEN length - 1 ELSE 0 END,
    CASE how WHEN 'completed' THEN 61 + 10 * (%(people)s - 1) + early END,
    CASE how WHEN 'completed' THEN ARRAY(SELECT 60 + 11 * k + early FROM generate_series(1, %(people)s - 1) AS k)
        ELSE '{}' END,
    0, CASE how WHEN 'completed' THEN %(people)s WHEN 'patient_no_show' THEN 1 ELSE 0 END,
    CASE how WHEN 'completed' THEN %(people)s WHEN 'patient_no_show' THEN 1 ELSE 0 END,
    department, visit_type, 'provider' || i %% 400, '', sent, delivered, false
  FROM plan JOIN (
    SELECT i, count(*) FILTER (WHERE taken) AS sent, count(*) FILTER (WHERE state = 'delivered') AS delivered
      FROM message GROUP BY i
  ) AS texts USING (i);
"""

# Every fiftieth completed visit was interrupted and has a second call, half of these on the next day. With trouble are
# as many in a thousand as the way says by which the patient came, and ten of staff.
CALLS = """
CREATE TEMPORARY TABLE way ON COMMIT DROP AS
SELECT * FROM (VALUES
    (0, 'iOS', 'Safari', 'wifi', 80), (1, 'iOS', 'Safari', 'mobile', 200), (2, 'android', 'Chrome', 'mobile', 240),
    (3, 'android', 'Chrome', 'wifi', 100), (4, 'windows', 'Edge', 'wired', 30), (5, 'windows', 'Chrome', 'wifi', 70),
    (6, 'macOS', 'Safari', 'wifi', 60)
) AS ways (way, platform, product, network, trouble);
CREATE TEMPORARY TABLE call ON COMMIT DROP AS
SELECT i + n * %(visits)s AS call, i, visit, way, pg_temp.thousandth(i, 2) < trouble AS has_trouble,
       start + CASE WHEN n = 0 THEN interval '1 minute' WHEN i %% 100 = 3 THEN make_interval(secs => 900 + length)
           ELSE interval '1 day' END AS started, length, platform, product, network
  FROM plan JOIN way ON way.way = pg_temp.thousandth(i, 1) %% 7
  CROSS JOIN generate_series(0, 1) AS n
 WHERE how = 'completed' AND (n = 0 OR i %% 50 = 3);
CREATE TEMPORARY TABLE stream ON COMMIT DROP AS
SELECT call, k, k > 1 AS is_staff, CASE WHEN k %% 2 = 0 THEN 'audio' ELSE 'video' END AS kind,
       CASE WHEN k > 1 THEN 'windows' ELSE platform END AS platform,
       CASE WHEN k > 1 THEN 'teams' ELSE product END AS product,
       CASE WHEN k < 2 THEN network WHEN chance %% 3 = 0 THEN 'wifi' ELSE 'wired' END AS network,
       is_poor, k %% 2 = 1 AND chance < 30 AS is_silent, chance,
       (ARRAY['jitter_ms', 'jitter_ms', 'round_trip_ms', 'packet_loss'])[1 + chance %% 4] AS reason
  FROM call CROSS JOIN generate_series(0, 3) AS k
 CROSS JOIN LATERAL (SELECT pg_temp.thousandth(call * 4 + k, 3) AS chance,
    CASE WHEN k < 2 THEN has_trouble ELSE pg_temp.thousandth(call, 4) < 10 END AS is_poor) AS drawn;
INSERT INTO reports_callrecord (id, organization_id, visit_id, graph_id, version, started_at, ended_at, good, poor,
    unclassified)
SELECT call, %(organization)s, visit, md5('call' || call)::uuid, 2, started, started + make_interval(secs => length),
    counts.good, counts.poor, counts.unclassified
  FROM call JOIN (
    SELECT call, count(*) FILTER (WHERE NOT is_poor AND NOT is_silent) AS good,
           count(*) FILTER (WHERE is_poor AND NOT is_silent) AS poor,
           count(*) FILTER (WHERE is_silent) AS unclassified
      FROM stream GROUP BY call
  ) AS counts USING (call);
INSERT INTO reports_callstream (record_id, kind, is_staff, platform, product, network, measures, verdict, due_to)
SELECT call, kind, is_staff, platform, product, network,
    CASE WHEN is_silent THEN '{}'::jsonb
         WHEN kind = 'video' THEN jsonb_build_object('frame_rate',
            CASE WHEN is_poor THEN 3 + chance %% 39 / 10.0 ELSE 14 + chance %% 160 / 10.0 END)
         ELSE jsonb_build_object(
            'jitter_ms', CASE WHEN is_poor AND reason = 'jitter_ms' THEN 55.0 ELSE 2 + chance %% 220 / 10.0 END,
            'round_trip_ms', CASE WHEN is_poor AND reason = 'round_trip_ms' THEN 720.0 ELSE 20 + chance %% 240 END,
            'packet_loss', CASE WHEN is_poor AND reason = 'packet_loss' THEN 0.14 ELSE chance %% 300 / 10000.0 END
         ) END,
    CASE WHEN is_silent THEN 'unclassified' WHEN is_poor THEN 'poor' ELSE 'good' END,
    CASE WHEN is_silent OR NOT is_poor THEN '{}'::text[] WHEN kind = 'video' THEN ARRAY['frame_rate']
         ELSE ARRAY[reason] END
  FROM stream;
SELECT setval(pg_get_serial_sequence('reports_callrecord', 'id'), max(id)) FROM reports_callrecord;
"""

# Two in three were tested, every twenty-fifth of these twice; a warning was given to six in ten who then had trouble.
TESTS = """
CREATE TEMPORARY TABLE test ON COMMIT DROP AS
SELECT plan.*, n, md5('launch' || i)::uuid AS launch, platform, product,
       pg_temp.thousandth(i, 6) < CASE WHEN has_trouble THEN 600 ELSE 60 END AS is_warned
  FROM call JOIN plan USING (i) CROSS JOIN generate_series(0, 1) AS n
 WHERE call = i AND pg_temp.thousandth(i, 5) < 667 AND (n = 0 OR pg_temp.thousandth(i, 7) < 40);
INSERT INTO launch_launchattempt (id, organization_id, endpoint_id, visit_id, audience, role, state, error_code,
    reference, ehr_user_id, request_id, created_at, finished_at)
SELECT launch, %(organization)s, endpoint, visit, 'text', 'patient', 'joined', '', 'L' || lpad(i::text, 9, '0'), '', '',
    start - interval '8 minutes', start - interval '6 minutes'
  FROM test WHERE n = 0;
INSERT INTO launch_devicetest (id, organization_id, visit_id, attempt_id, person_index, connection, camera,
    microphone, speaker, call, measures, browser, platform, created_at)
SELECT md5('test' || i || '.' || n)::uuid, %(organization)s, visit, launch, '',
    CASE WHEN n = 1 THEN 'failed' WHEN is_warned AND i %% 2 = 0 THEN 'poor' ELSE 'passed' END,
    CASE WHEN i %% 90 = 1 THEN 'refused' ELSE 'passed' END, CASE WHEN i %% 130 = 1 THEN 'failed' ELSE 'passed' END,
    CASE WHEN i %% 11 = 1 THEN 'skipped' ELSE 'passed' END,
    CASE WHEN is_warned AND i %% 2 = 1 THEN 'poor' ELSE 'passed' END,
    jsonb_build_object('rtt_ms', 20 + i %% 100, 'frames_per_second', 24), lower(product), lower(platform),
    start - interval '7 minutes' - n * interval '1 hour'
  FROM test;
"""

# Epic hears when a person reaches the lobby and when they leave; one in two thousand pieces of news it refused.
TOLD = """
INSERT INTO writeback_writebackevent (id, organization_id, endpoint_id, visit_id, meeting_id, participant_id, kind,
    sequence, source, result, occurred_at, response_ms, http_status, means, epic_code, request_id, handled_by,
    handled_reason, state, due_at, attempts, error_code, created_at, finished_at)
SELECT md5('told' || i || '.' || k || kind)::uuid, %(organization)s, endpoint, visit, meeting,
    md5('person' || i || '.' || k)::uuid, kind, sequence, 'graph', '{}', start + make_interval(secs => seconds), 120,
    CASE WHEN is_refused THEN 400 ELSE 200 END, 'connection_status', '', '', '', '',
    CASE WHEN is_refused THEN 'failed' ELSE 'accepted' END, start, 1,
    CASE WHEN is_refused THEN 'epic.rejected' ELSE '' END, start, start + interval '1 hour'
  FROM plan CROSS JOIN generate_series(0, %(people)s - 1) AS k CROSS JOIN LATERAL (VALUES
    ('connected', CASE WHEN k = 0 THEN 2 ELSE 1 END, CASE WHEN k = 0 THEN 60 ELSE -10 * k - early END),
    ('disconnected', 3, 60 + length - k)
  ) AS news (kind, sequence, seconds)
 CROSS JOIN LATERAL (SELECT (i * 20 + k * 2 + sequence) %% 2003 = 0 AS is_refused) AS drawn
 WHERE start > %(now)s::timestamptz - make_interval(days => %(days_told)s)
   AND (how = 'completed' OR how = 'patient_no_show' AND k = 0);
UPDATE reports_visitfact SET may_differ = true
 WHERE visit_id IN (SELECT visit_id FROM writeback_writebackevent WHERE state <> 'accepted');
"""

STATEMENTS = (PLAN, PRESENCE, TEXTS, CALLS, TESTS, TOLD)
TABLES = (
    "visits_visit", "meetings_meeting", "meetings_participant", "meetings_presenceevent", "sms_smsmessage",
    "launch_launchattempt", "launch_devicetest", "writeback_writebackevent", "reports_callrecord",
    "reports_callstream", "reports_visitfact",
)  # fmt: skip
