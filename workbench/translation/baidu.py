"""Baidu."""

from typing import ClassVar

from workbench.translation._service import Service


class Baidu(Service):
    """Baidu."""

    translator_class: ClassVar[str] = "BaiduTranslator"
    keys: ClassVar[dict[str, str]] = {"appid": "BAIDU_APPID", "appkey": "BAIDU_APPKEY"}
