import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka's own producer, for tests: `Produce BROKERS TOPIC=COMPRESSION,… KEY…` produces a record for each key to each
 * topic, and prints the partitions, one topic a line.
 */
class Produce {
  public static void main(String[] arguments) throws Exception {
    List<String> keys = List.of(arguments).subList(2, arguments.length);
    for (String topic : arguments[1].split(",")) {
      String[] nameAndCompression = topic.split("=");
      Properties settings = new Properties();
      settings.put("bootstrap.servers", arguments[0]);
      settings.put("compression.type", nameAndCompression[1]);
      settings.put("linger.ms", "50");
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
        for (String key : keys) {
          sent.add(producer.send(new ProducerRecord<>(nameAndCompression[0], key, "value of " + key)));
        }
      }
      List<String> partitions = new ArrayList<>();
      for (var answer : sent) partitions.add(String.valueOf(answer.get().partition()));
      System.out.println(String.join(" ", partitions));
    }
  }
}
