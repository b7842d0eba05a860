-- Databricks notebook source
-- MAGIC %md
-- MAGIC # Height and weight of athletes
-- MAGIC Matched people with their average height and weight: by sport and sex, and by sex and decade of birth.

-- COMMAND ----------

CREATE WIDGET TEXT born_from DEFAULT '1950-01-01'; -- type: DATE
CREATE OR REPLACE TABLE IDENTIFIER(:cr_output_catalog || '.' || :cr_output_schema || '.by_sport') AS
SELECT a.sport, c.sex, COUNT(*) AS people, AVG(c.height) AS height, AVG(c.weight) AS weight
FROM federation.rio.athletes AS a
JOIN insurer.members.customers AS c ON c.name = a.name
WHERE c.date_of_birth >= :born_from
GROUP BY a.sport, c.sex
ORDER BY a.sport, c.sex

-- COMMAND ----------

CREATE OR REPLACE TABLE IDENTIFIER(:cr_output_catalog || '.' || :cr_output_schema || '.by_decade') AS
SELECT c.sex, year(c.date_of_birth) // 10 * 10 AS born, COUNT(*) AS people, AVG(c.height) AS height, AVG(c.weight) AS weight
FROM federation.rio.athletes AS a
JOIN insurer.members.customers AS c ON c.name = a.name
WHERE c.date_of_birth >= :born_from
GROUP BY ALL
ORDER BY c.sex, born
