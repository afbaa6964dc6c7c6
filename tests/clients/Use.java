// Sends a message and reads its own answer, with the generated models: compiled by `make clients`.

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.UUID;
import org.openapitools.client.ApiClient;
import org.openapitools.client.model.BusError;
import org.openapitools.client.model.GetUserListQuery;
import org.openapitools.client.model.GetUserListQueryAnswer;

public class Use {
    static final ObjectMapper JSON = ApiClient.createDefaultObjectMapper()
        .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

    static <T> T send(String url, String key, Object message, Class<T> answer) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/api/bpm/cmd"))
            .header("Authorization", "Bearer " + key)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(message)))
            .build();
        HttpResponse<String> reply = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (reply.statusCode() != 200) {
            BusError error = JSON.readValue(reply.body(), BusError.class);
            throw new IllegalStateException(error.getMessage() + ": " + String.join("; ", error.getErrors()));
        }
        return JSON.readValue(reply.body(), answer);
    }

    public static void main(String[] words) throws Exception {
        GetUserListQuery query = new GetUserListQuery().$type(GetUserListQuery.TypeEnum.GET_USER_LIST_QUERY).pageSize(20);
        for (var user : send(words[0], words[1], query, GetUserListQueryAnswer.class).getData().getItems()) {
            System.out.println(user.getUsername());
        }
    }
}
