import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.IntegerSerializer;
import org.apache.kafka.common.serialization.LongSerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka's own producer and serializers, for tests: `Typed BROKERS` produces a record for each line that it reads, `TOPIC
 * KIND KEY KIND VALUE` with tabs between; kinds are string, int, long, bytes (in base64) and none.
 */
class Typed {
  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    var bytes = new ByteArraySerializer();
    try (var producer = new KafkaProducer<>(settings, bytes, bytes);
        var lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] fields = line.split("\t", -1);
        byte[] key = serialized(fields[0], fields[1], fields[2]);
        byte[] value = serialized(fields[0], fields[3], fields[4]);
        producer.send(new ProducerRecord<>(fields[0], key, value)).get();
      }
    }
  }

  private static byte[] serialized(String topic, String kind, String text) {
    return switch (kind) {
      case "string" -> new StringSerializer().serialize(topic, text);
      case "int" -> new IntegerSerializer().serialize(topic, Integer.valueOf(text));
      case "long" -> new LongSerializer().serialize(topic, Long.valueOf(text));
      case "bytes" -> Base64.getDecoder().decode(text);
      default -> null;
    };
  }
}
