import ai.tecton.client.TectonClient;
import ai.tecton.client.TectonClientOptions;
import ai.tecton.client.exceptions.TectonException;
import ai.tecton.client.model.FeatureServiceMetadata;
import ai.tecton.client.model.FeatureStatus;
import ai.tecton.client.model.FeatureValue;
import ai.tecton.client.model.MetadataOption;
import ai.tecton.client.model.SloInformation;
import ai.tecton.client.model.ValueType;
import ai.tecton.client.request.GetFeatureServiceMetadataRequest;
import ai.tecton.client.request.GetFeaturesBatchRequest;
import ai.tecton.client.request.GetFeaturesRequest;
import ai.tecton.client.request.GetFeaturesRequestData;
import ai.tecton.client.response.GetFeaturesBatchResponse;
import ai.tecton.client.response.GetFeaturesResponse;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Callable;

/**
 * Asks the servers of the plan on standard input, {@code url.well=http://...} and {@code
 * key.reader=...}; prints each case as a line of JSON.
 */
final class JavaClient {
  private static final Properties plan = new Properties();
  private static final int featureCount = 11;
  private static final Instant startedAt = Instant.now();

  public static void main(String[] args) throws IOException {
    plan.load(System.in);
    run("get-features: scalars and arrays", () -> checkAnn(ask("well", "scalars", ann())));
    run("get-features: unknown entity", () -> checkNobody(ask("well", "scalars", nobody())));
    run("get-features: join key null", () -> checkNobody(ask("well", "scalars", data(null, 7L))));
    run("get-features: request context", JavaClient::checkContext);
    run("get-features: slo info", JavaClient::checkSlo);
    run("get-features: effective times", JavaClient::checkEffectiveTimes);
    run("get-features: with a key", JavaClient::checkKey);
    // With one row alone the client asks one endpoint and expects the answer of the other.
    for (int rowCount : new int[] {2, 5, 6, 11}) {
      run("get-features-batch: " + rowCount + " rows, by 5", () -> checkBatch(rowCount, 5));
    }
    for (int rowCount : new int[] {1, 7}) {
      run("get-features-batch: " + rowCount + " rows, by 1", () -> checkBatch(rowCount, 1));
    }
    refused(400, "BadRequestException", "join key of another type", () -> askWrong());
    refused(400, "BadRequestException", "batch without a join key", () -> askWrongBatch());
    refused(401, "UnauthorizedException", "unknown key", () -> askAs("unknown"));
    refused(403, "ForbiddenException", "key of another service", () -> askAs("outsider"));
    refused(
        404, "ResourceNotFoundException", "unknown service", () -> ask("well", "none", ann()));
    refused(429, "ResourceExhaustedException", "more than a key may ask", () -> askTooOften());
    refused(500, "InternalServerErrorException", "store broken", () -> askAnn("broken"));
    refused(503, "ServiceUnavailableException", "store away", () -> askAnn("away"));
    refused(503, "ServiceUnavailableException", "store silent", () -> askAnn("silent"));
    refused(504, "GatewayTimeoutException", "request out of time", () -> askAnn("hanging"));
    run("metadata: types of keys and features", JavaClient::checkMetadata);
    run("metadata: types of the request context", JavaClient::checkContextMetadata);
    // The client's threads would keep this process alive.
    System.exit(0);
  }

  private static GetFeaturesRequestData ann() {
    return data("ann", 7L);
  }

  private static GetFeaturesRequestData nobody() {
    return data("nobody", 1L);
  }

  private static GetFeaturesRequestData data(String userId, Long deviceId) {
    return new GetFeaturesRequestData()
        .addJoinKey("user_id", userId)
        .addJoinKey("device_id", deviceId);
  }

  /** A new set for each request: the client adds to those it is given. */
  private static Set<MetadataOption> with(MetadataOption option) {
    return EnumSet.of(MetadataOption.FEATURE_STATUS, option);
  }

  private static GetFeaturesResponse askAnn(String server) {
    return ask(server, "scalars", ann());
  }

  private static GetFeaturesResponse askAs(String key) {
    return ask(client("guarded", key), "scalars", ann(), with(MetadataOption.NAME));
  }

  private static GetFeaturesResponse askTooOften() {
    askAs("hasty");
    return askAs("hasty");
  }

  private static GetFeaturesResponse askWrong() {
    return ask("well", "scalars", ann().addJoinKey("device_id", "seven"));
  }

  private static GetFeaturesBatchResponse askWrongBatch() {
    GetFeaturesRequestData half = new GetFeaturesRequestData().addJoinKey("user_id", "ann");
    return askBatch(Arrays.asList(half, half), 5);
  }

  private static GetFeaturesResponse ask(
      String server, String service, GetFeaturesRequestData data) {
    return ask(client(server, "unknown"), service, data, with(MetadataOption.NAME));
  }

  private static GetFeaturesResponse ask(
      TectonClient client,
      String service,
      GetFeaturesRequestData data,
      Set<MetadataOption> options) {
    return client.getFeatures(new GetFeaturesRequest("prod", service, data, options));
  }

  private static GetFeaturesBatchResponse askBatch(
      List<GetFeaturesRequestData> rows, int microBatchSize) {
    GetFeaturesBatchRequest request =
        new GetFeaturesBatchRequest(
            "prod", "scalars", rows, with(MetadataOption.SLO_INFO), microBatchSize);
    return client("well", "unknown").getFeaturesBatch(request);
  }

  private static TectonClient client(String server, String key) {
    // A server may take the 2 s that a request has, which are the client's own limit.
    TectonClientOptions options =
        new TectonClientOptions.Builder().readTimeout(Duration.ofSeconds(10)).build();
    return new TectonClient(
        plan.getProperty("url." + server), plan.getProperty("key." + key), options);
  }

  private static Object checkAnn(GetFeaturesResponse response) {
    Map<String, FeatureValue> found = response.getFeatureValuesAsMap();
    check(found.size(), featureCount);
    check(found.get("facts.flag_last_1d_continuous").booleanValue(), false);
    check(found.get("facts.moment_last_1d_continuous").stringValue(), "2024-01-10T12:00:00.250Z");
    check(found.get("facts.real_mean_1d_continuous").float64Value(), 1.0);
    check(found.get("facts.real_last_3_1d_continuous").float64ArrayValue(), list(0.5, 1.5));
    check(found.get("facts.whole_count_1d_continuous").int64value(), 3L);
    check(found.get("facts.whole_last_1d_continuous").int64value(), -1L);
    check(found.get("facts.whole_sum_1d_continuous").int64value(), 9007199254740993L);
    check(
        found.get("facts.whole_last_3_1d_continuous").int64ArrayValue(),
        list(1L, 9007199254740993L, -1L));
    check(found.get("facts.word_last_1d_continuous").stringValue(), "one");
    check(
        found.get("facts.word_last_3_1d_continuous").stringArrayValue(), list("one", "two", "one"));
    check(
        found.get("facts.word_last_distinct_2_1d_continuous").stringArrayValue(),
        list("two", "one"));
    return checkStatus(response, FeatureStatus.PRESENT);
  }

  private static Object checkNobody(GetFeaturesResponse response) {
    Map<String, FeatureValue> found = response.getFeatureValuesAsMap();
    check(found.size(), featureCount);
    check(found.get("facts.flag_last_1d_continuous").booleanValue(), null);
    check(found.get("facts.moment_last_1d_continuous").stringValue(), null);
    check(found.get("facts.real_mean_1d_continuous").float64Value(), null);
    check(found.get("facts.whole_count_1d_continuous").int64value(), null);
    check(found.get("facts.whole_last_3_1d_continuous").int64ArrayValue(), null);
    return checkStatus(response, FeatureStatus.MISSING_DATA);
  }

  private static Object checkStatus(GetFeaturesResponse response, FeatureStatus status) {
    for (FeatureValue value : response.getFeatureValues()) {
      check(value.getFeatureStatus(), Optional.of(status));
    }
    return response;
  }

  private static Object checkContext() {
    GetFeaturesRequestData data =
        new GetFeaturesRequestData()
            .addRequestContext("whole", Long.MIN_VALUE)
            .addRequestContext("real", 0.1)
            .addRequestContext("word", "\u00e9\ud83d\ude00\"");
    Map<String, FeatureValue> found = ask("well", "context", data).getFeatureValuesAsMap();
    check(found.get("plain_echo.whole").int64value(), Long.MIN_VALUE);
    check(found.get("plain_echo.real").float64Value(), 0.1);
    check(found.get("plain_echo.word").stringValue(), "\u00e9\ud83d\ude00\"");
    check(found.get("plain_echo.nothing").booleanValue(), null);
    return found;
  }

  private static Object checkSlo() {
    TectonClient client = client("well", "unknown");
    GetFeaturesResponse response = ask(client, "scalars", ann(), with(MetadataOption.SLO_INFO));
    return checkSlo(response.getSloInformation().get());
  }

  private static Object checkSlo(SloInformation found) {
    check(found.isSloEligible(), Optional.of(true));
    check(found.getSloIneligibilityReasons().isEmpty(), true);
    double serverTimeSeconds = found.getServerTimeSeconds().get();
    double sloServerTimeSeconds = found.getSloServerTimeSeconds().get();
    check(serverTimeSeconds >= sloServerTimeSeconds && sloServerTimeSeconds >= 0, true);
    return found;
  }

  private static Object checkEffectiveTimes() {
    TectonClient client = client("well", "unknown");
    Set<MetadataOption> options = with(MetadataOption.EFFECTIVE_TIME);
    GetFeaturesResponse response = ask(client, "grid", ann(), options);
    for (FeatureValue value : response.getFeatureValues()) {
      Instant found = value.getEffectiveTime().get();
      check(found.getEpochSecond() % 3600, 0L);
      check(found.isBefore(startedAt.minusSeconds(3601)), false);
    }
    return response;
  }

  private static Object checkKey() {
    check(askAs("reader").getFeatureValues().size(), featureCount);
    return null;
  }

  private static Object checkBatch(int rowCount, int microBatchSize) {
    List<GetFeaturesRequestData> rows = new ArrayList<>();
    for (int i = 0; i < rowCount; i++) rows.add(i % 3 == 1 ? nobody() : ann());
    GetFeaturesBatchResponse response = askBatch(rows, microBatchSize);
    List<GetFeaturesResponse> found = response.getBatchResponseList();
    check(found.size(), rowCount);
    for (int i = 0; i < rowCount; i++) {
      if (i % 3 == 1) checkNobody(found.get(i));
      else checkAnn(found.get(i));
      checkSlo(found.get(i).getSloInformation().get());
    }
    check(response.getBatchSloInformation().isPresent(), microBatchSize > 1);
    response.getBatchSloInformation().ifPresent(JavaClient::checkSlo);
    return response;
  }

  private static Object checkMetadata() {
    FeatureServiceMetadata found = metadataOf("scalars");
    check(found.getInputJoinKeysAsMap().get("user_id").getDataType(), ValueType.STRING);
    check(found.getInputJoinKeysAsMap().get("device_id").getDataType(), ValueType.INT64);
    check(found.getInputRequestContextKeys().size(), 0);
    check(found.getFeatureValues().size(), featureCount);
    check(typeOf(found, "facts.flag_last_1d_continuous"), ValueType.BOOLEAN);
    check(typeOf(found, "facts.moment_last_1d_continuous"), ValueType.STRING);
    check(typeOf(found, "facts.real_mean_1d_continuous"), ValueType.FLOAT64);
    check(typeOf(found, "facts.whole_last_3_1d_continuous"), ValueType.ARRAY);
    check(
        found
            .getFeatureValuesAsMap()
            .get("facts.whole_last_3_1d_continuous")
            .getListElementType(),
        Optional.of(ValueType.INT64));
    return found;
  }

  private static Object checkContextMetadata() {
    FeatureServiceMetadata found = metadataOf("context");
    check(found.getInputJoinKeys().size(), 0);
    check(found.getInputRequestContextKeysAsMap().get("whole").getDataType(), ValueType.INT64);
    check(found.getInputRequestContextKeysAsMap().get("real").getDataType(), ValueType.FLOAT64);
    return found;
  }

  private static FeatureServiceMetadata metadataOf(String service) {
    return client("well", "unknown")
        .getFeatureServiceMetadata(new GetFeatureServiceMetadataRequest(service, "prod"))
        .getFeatureServiceMetadata();
  }

  private static ValueType typeOf(FeatureServiceMetadata metadata, String feature) {
    return metadata.getFeatureValuesAsMap().get(feature).getDataType();
  }

  /** Whether a call throws the exception that the client has for a status, with the server's words. */
  private static void refused(int status, String exception, String why, Callable<Object> call) {
    run(
        status + ": " + why,
        () -> {
          Object answer;
          try {
            answer = call.call();
          } catch (TectonException error) {
            check(error.getStatusCode(), Optional.of(status));
            // Versions before 0.7 have "Exception" twice in one of the names.
            String name = error.getClass().getSimpleName();
            check(name.replace("ExceptionException", "Exception"), exception);
            // Where it cannot read the body it has the few words of the status line.
            if (error.getMessage().split(" ").length < 5) fail("it says " + error.getMessage());
            return error;
          }
          return fail("it answered " + answer);
        });
  }

  @SafeVarargs
  private static <T> List<T> list(T... values) {
    return Arrays.asList(values);
  }

  private static void check(Object found, Object expected) {
    if (!Objects.equals(found, expected)) fail("it is " + found + ", expected " + expected);
  }

  private static Object fail(String problem) {
    throw new AssertionError(problem);
  }

  private static void run(String name, Callable<Object> body) {
    String problem = null;
    try {
      body.call();
    } catch (Exception | AssertionError error) {
      problem = error.toString();
    }
    System.out.println("{\"name\":" + quote(name) + ",\"problem\":" + quote(problem) + "}");
  }

  private static String quote(String text) {
    if (text == null) return "null";
    return "\"" + text.replaceAll("[\\\\\"\\p{Cntrl}]", " ") + "\"";
  }
}
