// SPDX-License-Identifier: Apache-2.0
//
// Every bound that we set, in one place. Units are in the names.
#pragma once

#include <cstddef>
#include <cstdint>

namespace glovebox::limits {

// JSON
inline constexpr std::size_t kJsonDepthMax = 32;
inline constexpr std::size_t kJsonBodyBytesMax = 16U << 20U;
inline constexpr std::size_t kSqlAstJsonDepthMax = 1'000;  // what DuckDB's parser hands us

// HTTP
inline constexpr std::size_t kHttpHeadBytesMax = 16U << 10U;
inline constexpr std::size_t kHttpUploadBytesMax = std::size_t{8} << 30U;
inline constexpr std::int64_t kHttpHeadTimeoutMs = 10'000;
inline constexpr std::int64_t kHttpBodyIdleTimeoutMs = 30'000;
inline constexpr std::int64_t kHttpKeepAliveTimeoutMs = 60'000;
inline constexpr std::size_t kHttpConnectionsMax = 1'024;
// More than may block at one time: uploads, engine jobs of handlers and waits for statements together.
inline constexpr std::size_t kHttpWorkerThreads = 20;
inline constexpr std::size_t kHttpQueueMax = 256;
inline constexpr std::int64_t kHttpDrainTimeoutMs = 10'000;
inline constexpr unsigned kServerStopSeconds = 30;  // from the signal to the end, whatever still runs
inline constexpr std::size_t kHttpHeadersMax = 100;
inline constexpr std::size_t kHttpPathSegmentsMax = 64;
inline constexpr std::size_t kHttpQueryParametersMax = 256;
inline constexpr std::size_t kHttpReadBufferBytes = 64U << 10U;
inline constexpr std::size_t kHttpBodyStartBytes = 64U << 10U;          // of one body, before its handler starts
inline constexpr std::size_t kHttpBodyWindowBytes = 256U << 10U;        // of one body, waiting for its handler
inline constexpr std::size_t kHttpChunkBytes = 256U << 10U;             // of a file on its way to a client
inline constexpr std::uint64_t kHttpBodySlowBytesMax = 1U << 20U;       // of one body, at the lower of the rates:
inline constexpr std::uint64_t kHttpBodySlowBytesPerSecondMin = 1'024;  // after a first kHttpBodyIdleTimeoutMs
inline constexpr std::uint64_t kHttpBodyBytesPerSecondMin = 64U << 10U;
inline constexpr std::size_t kHttpCollectedBodiesMax = 16;  // over kHttpBodyStartBytes, each up to kJsonBodyBytesMax
inline constexpr std::size_t kHttpCollectedBodiesPerSenderMax = 4;
inline constexpr std::size_t kHttpStreamedBodiesMax = 4;  // each holds a thread
inline constexpr std::size_t kHttpStreamedBodiesPerSenderMax = 2;
inline constexpr std::size_t kBlockingJobsMax = 4;  // engine jobs that handlers wait for; each holds a thread
inline constexpr std::size_t kBlockingJobsPerOrganisationMax = 2;
inline constexpr std::int64_t kHttpWriteIdleTimeoutMs = 30'000;
inline constexpr std::int64_t kHttpLingerTimeoutMs = 5'000;
inline constexpr std::int64_t kHttpRetryAfterSeconds = 1;

// Authors' SQL
inline constexpr std::size_t kSqlTextBytesMax = 256U << 10U;
inline constexpr std::size_t kSqlNestingMax = 48;
inline constexpr std::size_t kSqlStatementsMax = 64;
inline constexpr std::size_t kSqlExpressionNodesMax = 20'000;
inline constexpr std::size_t kSqlListMax = 1'000;
inline constexpr std::size_t kSqlColumnsMax = 1'000;
inline constexpr std::size_t kSqlJoinsMax = 32;
inline constexpr std::size_t kSqlParametersMax = 64;
inline constexpr std::size_t kSqlParameterBytesMax = 256U << 10U;  // of all values of one statement
inline constexpr std::size_t kNotebookBytesMax = 1U << 20U;
inline constexpr std::size_t kNotebookCellsMax = 200;
inline constexpr std::size_t kNotebookJsonDepthMax = 64;  // exports carry results, which we drop
inline constexpr std::size_t kNotebookTitleBytesMax = 500;
inline constexpr std::size_t kNotebookChoicesMax = 1'000;
inline constexpr std::size_t kNotebookDescriptionBytesMax = 4'096;
inline constexpr std::size_t kNotebookVersionsMax = 1'000;
inline constexpr std::size_t kEnvironmentVersionBytesMax = 64;

// Rules and planning
inline constexpr std::int64_t kMinUnitsFloor = 10;
inline constexpr std::int64_t kMinUnitsMax = 1'000'000;
inline constexpr int kMeasureDigitsMax = 28;        // of exact measures: 10^10 of them are summed in 38 digits
inline constexpr int kMeasureStepValuesMin = 5;     // that a step of a measure holds
inline constexpr double kMeasureDoubleMax = 1e100;  // squares and their sums stay finite
inline constexpr std::int64_t kSteppedNumberMax = 2'000'000'000'000;  // in millionths it fits in 62 bits
inline constexpr std::size_t kRuleColumnsMax = 1'000;
inline constexpr std::size_t kRuleDomainValuesMax = 10'000;
inline constexpr std::size_t kRuleBytesMax = 1U << 20U;
inline constexpr std::size_t kPlanAggregatesMax = 64;
inline constexpr std::size_t kPlanBoxesMax = 4'096;
inline constexpr std::size_t kPlanEvaluationsMax = 20'000'000;  // nodes of a condition or key, times its listed values
inline constexpr std::size_t kTextCharactersMax = 1'000'000;    // of what a function makes; the rest is cut off
inline constexpr std::size_t kDimensionCharactersMax = 1'000;   // of a text by which rows are joined, grouped or chosen
inline constexpr std::size_t kOwnKeyCharactersMax = 100'000;    // that own group keys may make for one row
inline constexpr std::int64_t kDominancePercentMax = 100;       // P12
inline constexpr std::size_t kReplacementBytesMax = 100;        // of regexp_replace

// Runs
inline constexpr std::int64_t kRunTimeoutMs = 600'000;
inline constexpr std::int64_t kPlanTimeoutMs = 60'000;  // of a job that somebody waits for
inline constexpr std::size_t kRunMemoryBytesMax = std::size_t{4} << 30U;
inline constexpr std::size_t kRunThreads = 2;
inline constexpr std::size_t kRunGroupsMax = 1'000'000;
inline constexpr std::size_t kRunOutputRowsMax = 1'000'000;
inline constexpr std::size_t kOutputFileBytesMax = std::size_t{1} << 30U;
inline constexpr std::size_t kRunInlineRowsMax = 10'000;
inline constexpr std::size_t kRunsConcurrentMax = 2;
inline constexpr std::size_t kRunsQueuedMax = 100;
inline constexpr std::size_t kRunsQueuedPerOrganisationMax = 20;
inline constexpr std::size_t kRunTablesMax = 100;              // of the room, that one notebook names
inline constexpr std::size_t kRunInputsBytesMax = 48U << 10U;  // of their description on the ledger
inline constexpr int kRunCollectsMax = 3;                      // as long as something changes while inputs are prepared
inline constexpr std::int64_t kRunRetryMs = 1'000;             // after the store failed; doubles up to the next
inline constexpr std::int64_t kRunRetryMaxMs = 60'000;
inline constexpr int kSettleTriesMax = 3;  // of what is on the ledger, before the room is closed to changes
inline constexpr std::size_t kWorkerPoolSize = 2;
inline constexpr std::size_t kWorkerMessageBytesMax = std::size_t{64} << 20U;
inline constexpr std::int64_t kVisibleDurationStepMs = 250;            // P13: rounded up to 0.25 s * 2^n
inline constexpr std::size_t kHistoryCellsMax = 200'000;               // of the releases of a room
inline constexpr std::size_t kDifferencePairsByStructureMax = 40'000;  // beyond, one scan is cheaper
inline constexpr std::size_t kOwnValuesMax = 1'000;  // stored values of own columns that are given one form
inline constexpr std::size_t kOwnSetsMax = 500;      // selections of one own table that cells are compared by
// Beyond these the difference check withholds what it cannot look at.
inline constexpr std::size_t kAuditCellsMax = 100'000;      // distinct populations of a room's history and a run
inline constexpr std::size_t kAuditStepsMax = 100'000'000;  // comparisons of a run
inline constexpr std::size_t kAuditPartsMax = 1'000;        // of one total, in one scan
inline constexpr std::size_t kAuditNestedMax = 1'000;       // boxes of cells of which each is compared with each
inline constexpr std::int64_t kAuditSampleRows = 16'384;    // that are looked at before the whole table is
inline constexpr std::size_t kAuditTuplesMax = 200'000;     // of cells that may hold a row together
inline constexpr std::size_t kAuditSidesMax = 500;          // branches of calls with cells of their own
inline constexpr std::size_t kCombinationOrders = 8;        // shuffles of the atoms
// Up to so many cells over the same tables, each is tried beside the new one.
inline constexpr std::size_t kAuditSeedsMax = 300;

// Engine
inline constexpr std::size_t kUnitCounterHeapBytesMax = std::size_t{1} << 30U;  // per counter; DuckDB does not see it
inline constexpr std::size_t kEngineJobsMax = 4;  // worker processes with a job at one time
inline constexpr std::int64_t kWorkerStartTimeoutMs = 10'000;
inline constexpr std::int64_t kFunctionCheckTimeoutMs = 10'000;
inline constexpr std::size_t kWorkerMessageDepthMax = 256;
inline constexpr std::size_t kWorkerSetupBytesMax = 4U << 20U;
inline constexpr std::size_t kWorkerOpenFilesMax = 4'096;
inline constexpr std::size_t kWorkerFileBytesMax = std::size_t{256} << 30U;
inline constexpr std::size_t kWorkerAddressBytesExtra = std::size_t{8} << 30U;  // stacks, libraries, reserved ranges

// Rooms
inline constexpr std::size_t kCollaboratorsMax = 10;
inline constexpr std::size_t kAssetsPerRoomMax = 1'000;
inline constexpr std::size_t kNameBytesMax = 255;
inline constexpr std::size_t kCommentBytesMax = 4'096;
inline constexpr std::size_t kReviewCommentBytesMax = 500;
inline constexpr std::int64_t kOutputLifetimeMs = std::int64_t{30} * 24 * 3'600 * 1'000;
inline constexpr std::int64_t kOutputReviewMs = std::int64_t{7} * 24 * 3'600 * 1'000;
inline constexpr std::int64_t kOutputReviewReminderMs = std::int64_t{24} * 3'600 * 1'000;  // before that ends
inline constexpr std::size_t kRunsDeniedPerDayMax = 100;  // of one principal, on a room's ledger, in kDeniedRunsMs
inline constexpr std::int64_t kDeniedRunsMs = 86'400'000;
inline constexpr std::size_t kExportsDeniedPerDayMax = 100;  // of one principal, on a room's ledger
inline constexpr std::size_t kContractOutputsMax = 64;
inline constexpr std::int64_t kSweepIntervalMs = 60'000;
inline constexpr std::int64_t kLedgerEntriesPageMax = 1'000;
inline constexpr std::size_t kIdempotencyTokenBytesMax = 64;
inline constexpr std::size_t kEtagBytesMax = 128;
inline constexpr std::size_t kEmailBytesMax = 320;
inline constexpr std::size_t kRunParameterBytesMax = 4'096;  // of one value
inline constexpr std::size_t kRuleBytesOnLedgerMax = 16U << 10U;
inline constexpr std::size_t kApprovalRulesPerRoomMax = 100;
inline constexpr std::size_t kRoomsPerOrganisationMax = 1'000;  // that have not ended, and that it has joined
inline constexpr std::size_t kInvitationsOpenMax = 200;         // of one inviting organisation
inline constexpr std::int64_t kRoomLockTimeoutMs = 5'000;
inline constexpr std::int64_t kRevisionsPageSize = 10;  // what clients get that name no size
inline constexpr std::int64_t kRunsPageSize = 20;
inline constexpr std::int64_t kQueueIdleMaxMs = 1'000;
inline constexpr std::int64_t kPageSizeDefault = 100;
inline constexpr std::int64_t kPageSizeMax = 1'000;

// Metadata store
inline constexpr int kStoreBusyTimeoutMs = 10'000;
inline constexpr std::int64_t kStoreWriteWaitMs = 30'000;
inline constexpr std::size_t kStoreIdleConnectionsMax = 16;
inline constexpr std::size_t kStoreStatementsCachedMax = 256;

// Catalogue
inline constexpr std::size_t kPrincipalsPerOrganisationMax = 100'000;
inline constexpr std::size_t kFunctionBodyBytesMax = 64U << 10U;
inline constexpr std::size_t kFunctionParametersMax = 64;
inline constexpr std::size_t kTypeBytesMax = 255;
inline constexpr std::int64_t kTableVersionGraceMs = std::int64_t{3'600} * 1'000;  // after nobody needs it
inline constexpr std::uint64_t kVolumeBytesPerOrganisationMax = std::uint64_t{1} << 40U;
inline constexpr std::size_t kVolumePathBytesMax = 4'096;
inline constexpr std::size_t kVolumePathDepthMax = 64;
inline constexpr std::size_t kStatementNamesMax = 4'096;
inline constexpr std::size_t kSecretBytesMax = 128U << 10U;
inline constexpr std::size_t kSecretNameBytesMax = 128;
inline constexpr std::size_t kSecretsPerScopeMax = 1'000;
inline constexpr std::size_t kSecretScopesMax = 1'000;
inline constexpr std::size_t kTokenLifetimeDaysMax = 730;
inline constexpr std::size_t kTokensPerPrincipalMax = 600;

// SQL statements
// Each has one job of the engine at a time: fewer than kEngineJobsMax, so that runs and plans always find one.
inline constexpr std::size_t kStatementThreads = 3;
inline constexpr std::int64_t kStatementWaitSecondsMin = 5;
inline constexpr std::int64_t kStatementWaitSecondsMax = 50;
inline constexpr std::size_t kStatementWaitersMax = 6;  // handlers that wait for one; fewer than kHttpWorkerThreads
inline constexpr std::size_t kStatementsUnfinishedMax = 64;  // of one organisation
inline constexpr std::size_t kStatementsUnfinishedPerPrincipalMax = 48;
inline constexpr std::size_t kStatementWaitersPerOrganisationMax = 3;
inline constexpr std::size_t kStatementsRunningPerOrganisationMax = 2;          // of kStatementThreads
inline constexpr std::size_t kStatementsKeptMax = 32;                           // results of one organisation
inline constexpr std::size_t kStatementBytesKeptMax = std::size_t{128} << 20U;  // of memory, of one organisation
inline constexpr std::int64_t kStatementKeptMs = 3'600'000;
// Of one result, in what it takes up in memory; the rows beyond are left out.
inline constexpr std::size_t kResultCellsMax = 1'000'000;
inline constexpr std::size_t kResultTextBytesMax = std::size_t{16} << 20U;
inline constexpr std::size_t kStatementChunkRows = 2'000;
inline constexpr std::size_t kStatementChunkCells = 100'000;
inline constexpr std::int64_t kStatementCancelWaitMs = 2'000;  // for a running statement's end, before the answer

// Ledger
inline constexpr std::size_t kLedgerEntryBytesMax = 65'535;
inline constexpr std::size_t kLedgerProofHashesMax = 63;
inline constexpr std::size_t kLedgerNoteBytesMax = 64U << 10U;
inline constexpr std::uint64_t kLedgerSizeMax = (std::uint64_t{1} << 63U) - 1;
inline constexpr std::size_t kLedgerNoteSignaturesMax = 64;
inline constexpr std::size_t kLedgerKeyNameBytesMax = 1'024;
inline constexpr std::size_t kLedgerJsonDepthMax = 12;
inline constexpr std::size_t kLedgerJournalRecordBytesMax = 256U << 10U;
inline constexpr std::size_t kLedgerBundleFilesMax = 1'000'000;
inline constexpr std::size_t kLedgerBundleFileBytesMax = std::size_t{256} << 20U;
inline constexpr std::size_t kLedgerArchiveBytesMax = std::size_t{2} << 30U;
inline constexpr std::size_t kLedgerFindingsMax = 1'000;
inline constexpr std::int64_t kLedgerClockSkewMsMax = 60'000;

}  // namespace glovebox::limits
