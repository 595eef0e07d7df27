"""CloudWatch alarms on metric math, which MiniStack takes and forgets: they are told as they were given. They are never evaluated."""

from ministack.services import cloudwatch

SIMPLE = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")


def install():
    cloudwatch._put_metric_alarm = put_metric_alarm


def put_metric_alarm(params, cbor_data, is_cbor, is_json=False):
    answer = stock_put_metric_alarm(params, cbor_data, is_cbor, is_json)
    alarm = cloudwatch._alarms.get((cbor_data or {}).get("AlarmName"))
    if alarm and cbor_data.get("Metrics"):
        alarm["Metrics"] = cbor_data["Metrics"]
        for name in SIMPLE:
            alarm.pop(name, None)
    return answer


stock_put_metric_alarm = cloudwatch._put_metric_alarm
