/** Every maximum that the code enforces, in one place. Units are the last word of a name. */

export const limits = {
  /** Characters in the name of an entity, source, view, column, on-demand feature or service. */
  nameLengthMax: 64,
  /** Columns of one source. */
  sourceColumnsMax: 256,
  /** Join keys of one view, over all its entities. */
  viewJoinKeysMax: 16,
  /** Features of one view, and outputs of one on-demand view. */
  viewFeaturesMax: 512,
  /** Views one on-demand view reads. */
  viewInputsMax: 32,
  /** Request values of one on-demand view. */
  viewRequestValuesMax: 256,
  /** Views listed by one service. */
  serviceViewsMax: 64,
  /** How many on-demand views may stand on each other, the last one included. */
  onDemandDepthMax: 8,
  /** Tags of one view, and characters of a tag's name or value. */
  viewTagsMax: 64,
  tagLengthMax: 256,
  /** Levels of arrays, maps and structs in one data type. */
  dataTypeDepthMax: 8,
  /** The count n of `last(n)`, `first(n)` and their distinct forms. */
  lastCountMax: 1000,
  /** Distinct values that `top_k` and `histogram` may be told to count. */
  distinctValuesMax: 65_536,
  /** Windows of one series. */
  seriesWindowsMax: 1000,
  /** Distinct values of a secondary key in one window; past it there is no answer for the window. */
  secondaryKeysMax: 10_000,
  /** Ten years of 366 days: windows, offsets, intervals, horizons. */
  windowMsMax: 3_660 * 86_400_000,
  /** The shortest interval of a sliding or sawtooth view. */
  intervalMsMin: 1_000,
  /** The shortest time between two compactions of a view. */
  compactionEveryMsMin: 60_000,
  /** Levels of arrays and maps in an envelope. */
  msgpackDepthMax: 16,
  /** UTF-8 bytes of one string value. */
  stringBytesMax: 65_536,
  /** Bytes of one event in the log: a row of a Durable Object's SQLite holds 2 MB. */
  eventBytesMax: 131_072,
  /** UTF-8 bytes of an event id. */
  idBytesMax: 512,
  /** UTF-8 bytes of an entity in a record's name; a Workers KV key holds 512 in all. */
  entityKeyBytesMax: 300,
  /** How far two clocks may be apart, in milliseconds. */
  clockErrorMsMax: 10_000,
  /** How long a request may take, in milliseconds. */
  requestMsMax: 5_000,
  /** How long a request for features may wait for its stores, in milliseconds. */
  requestDeadlineMs: 2_000,
  /** The longest latency budget of a request, in milliseconds; a longer one counts as this one. */
  latencyBudgetMsMax: 5_000,
  /** Of a latency budget, what is kept for working out and writing the answer: at most a tenth of it. */
  answerReserveMsMax: 20,
  /** Requests answered at a time; more are told to come back later. */
  requestsInFlightMax: 512,
  /** The longest time after which a refused request is told to come back, in seconds. */
  retryAfterSecondsMax: 3,
  /** How often a stream record is read again because it changed before it was written. */
  applyAttemptsMax: 20,
  /** Bytes of a stream record; one that outgrows it is a gap until the next compaction. */
  streamRecordBytesMax: 8 * 2 ** 20,
  /** How far back epochs are looked up, to make one partial of those that no cut can part. */
  epochsMergedMax: 32,
  /** Rows of the log applied to stream records at a time. */
  applyRowsMax: 2_000,
  /** Event ids and named requests that one log shard remembers. */
  logShardIdsMax: 20_000_000,
  /** Partitions one log shard knows the next offset of. */
  logShardPartitionsMax: 100_000,
  /** Event ids past their horizon forgotten with one append: more than an append may add. */
  idsForgottenPerAppendMax: 20_000,
  /** Batch records in one publish, and their bytes: a call to a Durable Object holds 32 MiB. */
  publishRecordsMax: 500,
  publishBytesMax: 4 * 2 ** 20,
  /** Cuts of a view that it can be rolled back to. */
  finishedCutsMax: 100,
  /** Entries of a state table written together: a Durable Object takes 128. */
  stateEntriesMax: 128,
  /** Entries of a feed in one page, and the bytes past which a page takes no further one. */
  feedEntriesMax: 100,
  feedBytesMax: 4 * 2 ** 20,
  /** Pages of a log shard that a region takes before it writes down how far it came. */
  followedPagesMax: 20,
  /** How long a region that is up to date waits before it asks its home again, in milliseconds. */
  followPauseMs: 250,
  /** From when on a region that has not heard from its home says so, in milliseconds. */
  regionStaleAfterMs: 15_000,
  /** Rows of a load in one request that appends them to the log. */
  appendRowsMax: 1_000,
  /** Entities in one collect. */
  collectEntitiesMax: 1_000,
  /** Bytes of a request for features. */
  requestBodyBytesMax: 4 * 2 ** 20,
  /** Rows of one request for features. */
  batchRowsMax: 1_000,
  /** Bytes and records of a request to ingest; fewer records than ids forgotten with an append. */
  ingestBodyBytesMax: 16 * 2 ** 20,
  ingestRecordsMax: 10_000,
  /** Characters of the key that names a request to ingest. */
  idempotencyKeyLengthMax: 255,
  /** Characters in the name of a partition that records were read from. */
  partitionLengthMax: 255,
  /** Errors listed in an answer to ingest; later records are not looked at. */
  recordErrorsMax: 100,
  /** Bytes of an admin request: a call to a Durable Object holds 32 MiB. */
  adminBodyBytesMax: 30 * 2 ** 20,
  /** Rows, and their bytes, in one page of the log; a row alone may be larger. */
  logPageRowsMax: 1_000,
  logPageBytesMax: 4 * 2 ** 20,
  /** Bytes of records that one request is answered from. */
  requestStoreBytesMax: 16 * 2 ** 20,
  /** Bytes of what one on-demand view puts out: strings in UTF-8, anything else by its width. */
  outputBytesMax: 2 ** 20,
  /** How long the transforms of a request may take together, in milliseconds. */
  transformMsMax: 500,
  /** Label sets of one metric; what is measured under others goes to one that stands for them. */
  metricSeriesMax: 2_000,
  /** How long the parts of a server may take to answer a check of readiness, or a scrape, in milliseconds. */
  checkDeadlineMs: 1_000,
  /** How long the outcome of a check of readiness is answered before another one is made, in milliseconds. */
  readinessAgeMsMax: 1_000,
  /** Characters of an authorization header. */
  authorizationLengthMax: 8_192,
  /** Levels of arrays and objects in a request's JSON. */
  jsonDepthMax: 32,
  /** Keys in the book of one workspace: all of them are read together. */
  keysMax: 1_000,
  /** Characters of what a key is said to be for. */
  keyDescriptionLengthMax: 512,
  /** Grants of one key or token, and services named in one grant. */
  grantsMax: 64,
  /** Secrets of one key that count at a time: an old one and a new one. */
  keySecretsMax: 2,
  /** Requests that a key may be allowed per second, and at once. */
  requestsPerSecondMax: 1_000_000,
  /** Principals whose requests are counted, and tokens remembered as verified. */
  principalsCountedMax: 10_000,
  tokensRememberedMax: 1_000,
  /** For how long a verified token is not verified again, in milliseconds. */
  tokenRememberedMs: 30_000,
  /** Failed authentications that are answered 401 per second, and at once; more are 429. */
  failedAuthenticationsPerSecondMax: 100,
  failedAuthenticationsAtOnceMax: 1_000,
  /** From when on a copy of the key book is read anew beside a request, and before one. */
  keyBookRefreshMs: 15_000,
  keyBookFreshMs: 30_000,
  /** How long after reading it an unknown key leads to another, in milliseconds. */
  keyBookCooldownMs: 1_000,
  /** How often a region asks its home for the key book, in milliseconds. */
  keyBookPullMs: 10_000,
  /** From when on a key set of tokens is fetched anew beside a request, and before one. */
  keySetRefreshMs: 300_000,
  keySetFreshMs: 600_000,
  /** How long after a fetch an unknown key of a token leads to another, in milliseconds. */
  keySetCooldownMs: 30_000,
  /** Bytes of a key set. */
  keySetBytesMax: 2 ** 20,
  /** How old a copy may be that cannot be read anew, how long reading may take, and the pause. */
  copyStaleMsMax: 3_600_000,
  copyReadMsMax: 1_000,
  copyPauseMs: 2_000,
  /** How far the clock of a token's issuer may be off, in milliseconds. */
  tokenClockErrorMsMax: 30_000,
  /** Characters of the subject of a token. */
  tokenSubjectLengthMax: 255,
  /** Entries of the audit log in one page, and characters of the object that one names. */
  auditPageEntriesMax: 500,
  auditObjectLengthMax: 1_024,
  /** How old a serving cache may let a view's answers become, in milliseconds. */
  cacheMaxAgeMsMin: 1_000,
  cacheMaxAgeMsMax: 86_400_000,
  /** Answers in the serving cache of one workspace in one process, and about how many bytes they are. */
  servingCacheEntriesMax: 100_000,
  servingCacheBytesMax: 16 * 2 ** 20,
  /** Windows of one feature that an explanation tells of: the newest of a longer series. */
  explainedWindowsMax: 100,
  /** Bytes read from stores for one request, past which the latency objective does not hold. */
  objectiveStoreBytesMax: 2 * 2 ** 20,
} as const;
