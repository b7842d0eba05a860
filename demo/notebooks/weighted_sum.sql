-- Databricks notebook source
CREATE OR REPLACE TABLE IDENTIFIER(:cr_output_catalog || '.' || :cr_output_schema || '.weighted') AS
SELECT a.sport, SUM(c.weight * a.gold) AS weight_of_gold
FROM federation.rio.athletes AS a
JOIN insurer.members.customers AS c ON c.name = a.name
GROUP BY a.sport
