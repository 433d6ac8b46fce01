import ai.tecton.client.TectonClient;
import ai.tecton.client.TectonClientOptions;
import ai.tecton.client.model.FeatureValue;
import ai.tecton.client.request.GetFeatureServiceMetadataRequest;
import ai.tecton.client.request.GetFeaturesBatchRequest;
import ai.tecton.client.request.GetFeaturesRequest;
import ai.tecton.client.request.GetFeaturesRequestData;
import ai.tecton.client.request.RequestConstants;
import ai.tecton.client.response.GetFeaturesResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;

/** Asks the servers named by its arguments, {@code well=http://...}; prints each case as JSON. */
final class JavaClient {
  private static final Map<String, String> urls = new HashMap<>();

  public static void main(String[] args) {
    for (String arg : args) {
      String[] parts = arg.split("=", 2);
      urls.put(parts[0], parts[1]);
    }
    run("get-features: scalars and arrays", () -> checkVector(ask("well", "scalars", ann())));
    run("get-features: unknown entity", JavaClient::checkUnknown);
    run("get-features-batch: in micro-batches", () -> checkBatch(3));
    run("get-features-batch: one by one", () -> checkBatch(1));
    refused(
        "400: join key of another type",
        "BadRequestException",
        () -> ask("well", "scalars", ann().addJoinKey("device_id", "seven")));
    refused(
        "404: unknown service",
        "ResourceNotFoundException",
        () -> ask("well", "none", ann()));
    refused(
        "500: store broken",
        "InternalServerErrorException",
        () -> ask("broken", "scalars", ann()));
    refused(
        "503: store away",
        "ServiceUnavailableException",
        () -> ask("away", "scalars", ann()));
    refused(
        "503: store silent",
        "ServiceUnavailableException",
        () -> ask("silent", "scalars", ann()));
    run("metadata: names of features", JavaClient::checkMetadata);
    // The client's threads would keep this process alive.
    System.exit(0);
  }

  private static GetFeaturesRequestData ann() {
    return data("ann", 7L);
  }

  private static GetFeaturesRequestData data(String userId, Long deviceId) {
    return new GetFeaturesRequestData()
        .addJoinKey("user_id", userId)
        .addJoinKey("device_id", deviceId);
  }

  private static GetFeaturesResponse ask(
      String server, String service, GetFeaturesRequestData data) {
    return client(server)
        .getFeatures(
            new GetFeaturesRequest("prod", service, data, RequestConstants.ALL_METADATA_OPTIONS));
  }

  private static TectonClient client(String server) {
    // A server with a silent store answers near the end of its 2 s, the client's own limit.
    TectonClientOptions options =
        new TectonClientOptions.Builder().readTimeout(Duration.ofSeconds(10)).build();
    return new TectonClient(urls.get(server), "none", options);
  }

  private static Object checkVector(GetFeaturesResponse response) {
    Map<String, FeatureValue> found = response.getFeatureValuesAsMap();
    check(found.get("facts.flag_last_1d_continuous").booleanValue(), false);
    check(found.get("facts.moment_last_1d_continuous").stringValue(), "2024-01-10T12:00:00.250Z");
    check(found.get("facts.real_mean_1d_continuous").float64Value(), 1.0);
    check(found.get("facts.real_last_3_1d_continuous").float64ArrayValue(), list(0.5, 1.5));
    check(found.get("facts.whole_sum_1d_continuous").int64value(), 9007199254740993L);
    check(
        found.get("facts.whole_last_3_1d_continuous").int64ArrayValue(),
        list(1L, 9007199254740993L, -1L));
    check(
        found.get("facts.word_last_3_1d_continuous").stringArrayValue(), list("one", "two", "one"));
    return found;
  }

  private static Object checkUnknown() {
    Map<String, FeatureValue> found =
        ask("well", "scalars", data("nobody", 1L)).getFeatureValuesAsMap();
    check(found.get("facts.whole_count_1d_continuous").int64value(), null);
    check(found.get("facts.word_last_1d_continuous").stringValue(), null);
    return found;
  }

  private static Object checkBatch(int microBatchSize) {
    List<GetFeaturesRequestData> rows =
        Arrays.asList(ann(), data("nobody", 1L), ann(), ann(), ann());
    List<GetFeaturesResponse> responses =
        client("well")
            .getFeaturesBatch(
                new GetFeaturesBatchRequest(
                    "prod", "scalars", rows, RequestConstants.ALL_METADATA_OPTIONS, microBatchSize))
            .getBatchResponseList();
    check(responses.size(), rows.size());
    checkVector(responses.get(0));
    checkVector(responses.get(4));
    Map<String, FeatureValue> unknown = responses.get(1).getFeatureValuesAsMap();
    check(unknown.get("facts.whole_sum_1d_continuous").int64value(), null);
    return responses;
  }

  private static Object checkMetadata() {
    Object found =
        client("well")
            .getFeatureServiceMetadata(new GetFeatureServiceMetadataRequest("scalars", "prod"))
            .getFeatureServiceMetadata()
            .getFeatureValues()
            .size();
    check(found, 11);
    return found;
  }

  private static void refused(String name, String exception, Callable<Object> call) {
    run(
        name,
        () -> {
          try {
            return fail("it answered " + call.call());
          } catch (Exception error) {
            if (error.getClass().getSimpleName().equals(exception)) return error;
            throw error;
          }
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
