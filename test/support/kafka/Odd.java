import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own producer, for tests: `Odd BROKERS TOPIC` produces what is allowed and unusual to partition 0: no key, no
 * value, neither, empty ones, headers of bytes, without a value, of one name twice, a time of 1970.
 */
class Odd {
  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("linger.ms", "50");
    var bytes = new ByteArraySerializer();
    try (var producer = new KafkaProducer<>(settings, bytes, bytes)) {
      byte[] some = {0, -1, 10};
      byte[] none = {};
      producer.send(record(arguments[1], null, some));
      producer.send(record(arguments[1], some, null));
      producer.send(record(arguments[1], null, null));
      producer.send(record(arguments[1], none, none));
      var headed = record(arguments[1], some, some);
      headed.headers().add("bytes", some).add("none", null).add("twice", none).add("twice", some).add("ünï", some);
      producer.send(headed);
      producer.send(new ProducerRecord<>(arguments[1], 0, 1L, some, some));
    }
  }

  private static ProducerRecord<byte[], byte[]> record(String topic, byte[] key, byte[] value) {
    return new ProducerRecord<>(topic, 0, 1_700_000_000_000L, key, value);
  }
}
