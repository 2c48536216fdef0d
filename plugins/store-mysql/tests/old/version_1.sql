CREATE TABLE `ol_attempts` (
  `line` bigint(20) NOT NULL,
  `node` varchar(700) NOT NULL,
  `visit` int(11) NOT NULL,
  `attempt` int(11) NOT NULL,
  `started` double NOT NULL,
  `finished` double NOT NULL,
  `error` longtext NOT NULL,
  PRIMARY KEY (`line`,`node`,`visit`,`attempt`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_drivers` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `host` longtext NOT NULL,
  `boot` longtext NOT NULL,
  `namespace` bigint(20) NOT NULL,
  `pid` bigint(20) NOT NULL,
  `start` bigint(20) NOT NULL,
  `beats` bigint(20) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_flows` (
  `digest` varchar(255) NOT NULL,
  `name` longtext NOT NULL,
  `version` longtext NOT NULL,
  `body` longtext NOT NULL,
  `created` double NOT NULL,
  PRIMARY KEY (`digest`),
  KEY `flows_name` (`name`(100),`created`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO ol_flows VALUES ('6f8a9d02b373d55edcbfc0be3e05008017d4ce90d890a0e68b29418c67edfc46', 'asks', '1', '{\"flow\":\"asks\",\"vars\":{\"n\":7},\"line\":[{\"id\":\"go\",\"signal\":\"go\",\"set\":{\"n\":\"${n + 1}\"}}]}', 1795891822.2862403);
CREATE TABLE `ol_followers` (
  `join_id` bigint(20) NOT NULL,
  `idx` int(11) NOT NULL,
  `missing` int(11) NOT NULL,
  PRIMARY KEY (`join_id`,`idx`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_identity` (
  `one` tinyint(4) NOT NULL,
  `text` varchar(64) NOT NULL,
  PRIMARY KEY (`one`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_joins` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `line` bigint(20) NOT NULL,
  `label` varchar(700) NOT NULL,
  `state` varchar(16) NOT NULL,
  `total` int(11) NOT NULL,
  `remaining` int(11) NOT NULL,
  `unopened` int(11) NOT NULL,
  `stop_on_failure` tinyint(4) NOT NULL,
  `bound` int(11) NOT NULL,
  `after` longtext DEFAULT NULL,
  `span` double DEFAULT NULL,
  `queued` int(11) NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  UNIQUE KEY `joins_label` (`line`,`label`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_lines` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `run` bigint(20) NOT NULL,
  `path` longtext NOT NULL,
  `parent` bigint(20) DEFAULT NULL,
  `join_id` bigint(20) DEFAULT NULL,
  `idx` int(11) NOT NULL,
  `block` int(11) NOT NULL,
  `status` varchar(16) NOT NULL,
  `cur` int(11) NOT NULL,
  `seq` bigint(20) NOT NULL,
  `epoch` bigint(20) NOT NULL,
  `owner` bigint(20) DEFAULT NULL,
  `halt` tinyint(4) NOT NULL,
  `due` double DEFAULT NULL,
  `attempt` int(11) NOT NULL,
  `began` double DEFAULT NULL,
  `executor` longtext DEFAULT NULL,
  `crashes` int(11) NOT NULL,
  `state` longtext DEFAULT NULL,
  `tasks` int(11) NOT NULL,
  `vars` longtext DEFAULT NULL,
  `vars_at` int(11) NOT NULL,
  `flow` varchar(255) DEFAULT NULL,
  `queue` varchar(255) DEFAULT NULL,
  `rings` int(11) NOT NULL DEFAULT 0,
  `rung` double DEFAULT NULL,
  `result` longtext DEFAULT NULL,
  `error` longtext DEFAULT NULL,
  `finished` double DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `lines_run` (`run`),
  KEY `lines_open` (`finished`,`run`),
  KEY `lines_queue` (`queue`,`finished`),
  KEY `lines_join` (`join_id`,`idx`),
  KEY `lines_owner` (`owner`)
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO ol_lines VALUES (1, 1, '', NULL, NULL, 0, 0, 'SUCCESS', 0, 2, 2, NULL, 0, NULL, 1, 1795891822.289976, NULL, 0, NULL, 1, '{\"n\":8}', 1, NULL, NULL, 0, NULL, '1', NULL, 1795891822.2924733);
INSERT INTO ol_lines VALUES (2, 2, '', NULL, NULL, 0, 0, 'SIGNAL', 0, 1, 1, NULL, 0, NULL, 1, 1795891822.29484, NULL, 0, '[\"go\"]', 0, '{\"n\":7}', 0, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO ol_lines VALUES (3, 3, '', NULL, NULL, 0, 0, 'READY', 0, 0, 0, NULL, 0, NULL, 0, NULL, NULL, 0, NULL, 0, '{\"n\":7}', 0, NULL, 'gpu', 1, 1795891822.3152568, NULL, NULL, NULL);
CREATE TABLE `ol_logs` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `run` bigint(20) NOT NULL,
  `line` bigint(20) NOT NULL,
  `node` longtext NOT NULL,
  `visit` int(11) NOT NULL,
  `attempt` int(11) NOT NULL,
  `at` double NOT NULL,
  `level` longtext DEFAULT NULL,
  `text` longtext NOT NULL,
  PRIMARY KEY (`id`),
  KEY `logs_run` (`run`,`at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_progress` (
  `line` bigint(20) NOT NULL,
  `run` bigint(20) NOT NULL,
  `epoch` bigint(20) NOT NULL,
  `seq` bigint(20) NOT NULL,
  `report` longtext NOT NULL,
  PRIMARY KEY (`line`),
  KEY `progress_run` (`run`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_rounds` (
  `run` bigint(20) NOT NULL,
  `round` int(11) NOT NULL,
  `status` varchar(16) NOT NULL,
  `finished` double NOT NULL,
  `error` longtext DEFAULT NULL,
  `tasks` int(11) NOT NULL,
  `vars` longtext DEFAULT NULL,
  PRIMARY KEY (`run`,`round`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_runs` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `name` varchar(700) NOT NULL,
  `flow` longtext NOT NULL,
  `version` longtext NOT NULL,
  `digest` varchar(255) NOT NULL,
  `status` varchar(16) NOT NULL,
  `wish` varchar(16) DEFAULT NULL,
  `run_key` longtext DEFAULT NULL,
  `vars` longtext NOT NULL,
  `executor` longtext DEFAULT NULL,
  `created` double NOT NULL,
  `started` double DEFAULT NULL,
  `deadline` double DEFAULT NULL,
  `finished` double DEFAULT NULL,
  `variables` longtext DEFAULT NULL,
  `error` longtext DEFAULT NULL,
  `round` int(11) NOT NULL DEFAULT 1,
  `pruned` tinyint(4) NOT NULL DEFAULT 0,
  `key_digest` binary(32) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `runs_name` (`name`),
  UNIQUE KEY `runs_key` (`key_digest`),
  KEY `runs_open` (`finished`,`deadline`),
  KEY `runs_pruned` (`pruned`,`id`)
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO ol_runs VALUES (1, '1m8hqwzpdaqv81xtf', 'asks', '1', '6f8a9d02b373d55edcbfc0be3e05008017d4ce90d890a0e68b29418c67edfc46', 'SUCCESS', NULL, 'done', '{\"n\":7}', NULL, 1795891822.2862403, 1795891822.289976, NULL, 1795891822.2924733, '{\"n\":8}', NULL, 1, 0, x'6b48dbde14c57fdc20a5aea90b465c42d1d383a4eb4cd3e6bf93f528939824e9');
INSERT INTO ol_runs VALUES (2, '1m8hqwzpn2d87mrme', 'asks', '1', '6f8a9d02b373d55edcbfc0be3e05008017d4ce90d890a0e68b29418c67edfc46', 'RUNNING', NULL, 'open', '{\"n\":7}', NULL, 1795891822.293532, 1795891822.29484, NULL, NULL, NULL, NULL, 1, 0, x'73938a9d5ded14d0978536c861a904b667287524e1c9417789b05a8dcb260267');
INSERT INTO ol_runs VALUES (3, '1m8hqwzqbv9nh8cmm', 'asks', '1', '6f8a9d02b373d55edcbfc0be3e05008017d4ce90d890a0e68b29418c67edfc46', 'PENDING', NULL, 'queued', '{\"n\":7}', 'inline', 1795891822.3152568, NULL, NULL, NULL, NULL, NULL, 1, 0, x'5aca1f6f47985c36ff2193c8d37bd9702fdab4887110654d0d195e400665af48');
CREATE TABLE `ol_schedules` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `name` varchar(700) NOT NULL,
  `flow` longtext NOT NULL,
  `version` longtext NOT NULL,
  `digest` varchar(255) NOT NULL,
  `vars` longtext NOT NULL,
  `executor` longtext DEFAULT NULL,
  `timing` longtext NOT NULL,
  `misfire` longtext NOT NULL,
  `overlap` longtext NOT NULL,
  `grace` bigint(20) NOT NULL,
  `starts` bigint(20) DEFAULT NULL,
  `ends` bigint(20) DEFAULT NULL,
  `queue` longtext DEFAULT NULL,
  `created` double NOT NULL,
  `paused` tinyint(4) NOT NULL,
  `due` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `schedules_name` (`name`),
  KEY `schedules_due` (`paused`,`due`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_signals` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `run` bigint(20) NOT NULL,
  `target` longtext NOT NULL,
  `data` longtext NOT NULL,
  `created` double NOT NULL,
  `line` bigint(20) DEFAULT NULL,
  `key_digest` binary(32) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `signals_key` (`key_digest`),
  KEY `signals_open` (`run`,`line`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO ol_signals VALUES (1, 1, 'go', '1', 1795891822.2880995, 1, NULL);
CREATE TABLE `ol_slots` (
  `schedule` varchar(700) NOT NULL,
  `slot` bigint(20) NOT NULL,
  `state` varchar(16) NOT NULL,
  `reason` longtext DEFAULT NULL,
  `run` bigint(20) DEFAULT NULL,
  `noted` double NOT NULL,
  PRIMARY KEY (`schedule`,`slot`),
  KEY `slots_open` (`state`,`slot`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_tasks` (
  `line` bigint(20) NOT NULL,
  `ordinal` int(11) NOT NULL,
  `run` bigint(20) NOT NULL,
  `node` longtext NOT NULL,
  `visit` int(11) NOT NULL,
  `status` varchar(16) NOT NULL,
  `attempt` int(11) NOT NULL,
  `executor` longtext DEFAULT NULL,
  `started` double NOT NULL,
  `finished` double NOT NULL,
  `result` longtext DEFAULT NULL,
  `error` longtext DEFAULT NULL,
  `assigned` longtext DEFAULT NULL,
  PRIMARY KEY (`line`,`ordinal`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO ol_tasks VALUES (1, 0, 1, 'go', 1, 'SUCCESS', 1, NULL, 1795891822.289976, 1795891822.2923834, '1', NULL, '{\"n\":8}');
CREATE TABLE `ol_values` (
  `run` varchar(700) NOT NULL,
  `sha256` varchar(64) NOT NULL,
  `part` int(11) NOT NULL,
  `store` varchar(255) NOT NULL,
  `written` double NOT NULL,
  `body` longblob NOT NULL,
  PRIMARY KEY (`run`,`sha256`,`part`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
CREATE TABLE `ol_versions` (
  `version` int(11) NOT NULL,
  `created` datetime NOT NULL,
  PRIMARY KEY (`version`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT INTO ol_versions VALUES (1, '2026-11-28 18:50:22');
