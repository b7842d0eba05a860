-- Databricks notebook source
CREATE OR REPLACE TABLE IDENTIFIER(:cr_output_catalog || '.' || :cr_output_schema || '.people') AS
SELECT a.sport, c.sex, c.height, c.weight
FROM federation.rio.athletes AS a
JOIN insurer.members.customers AS c ON c.name = a.name
