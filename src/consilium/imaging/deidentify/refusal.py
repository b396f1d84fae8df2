"""Why a file is not handed on, in words that hold nothing of the file itself, for the report may leave the house."""

from __future__ import annotations

from enum import StrEnum

from consilium.errors import NotDeidentified


class Reason(StrEnum):
    """Each reason for which a file is refused."""

    NOT_READABLE = "not_readable"
    UNKNOWN_KIND = "unknown_kind"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    NESTED_TOO_DEEP = "nested_too_deep"
    OBJECT_NOT_COVERED = "object_not_covered"
    NO_OBJECT_KIND = "no_object_kind"
    STRUCTURED_REPORT = "structured_report"
    ENCAPSULATED_DOCUMENT = "encapsulated_document"
    PRESENTATION = "presentation"
    WAVEFORM = "waveform"
    DIRECTORY = "directory"
    VIDEO = "video"
    SLIDE_LABEL = "slide_label"
    SAYS_BURNT_IN = "says_burnt_in"
    OFTEN_BURNT_IN = "often_burnt_in"
    TEXT_SUSPECTED = "text_suspected"
    NOT_DECODABLE = "not_decodable"
    MASK_DOES_NOT_FIT = "mask_does_not_fit"
    MASK_NOT_POSSIBLE = "mask_not_possible"
    FACE = "face"
    SEVERAL_PICTURES = "several_pictures"
    HIDDEN_BITS = "hidden_bits"
    STILL_IDENTIFYING = "still_identifying"
    SAME_NAME = "same_name"


WORDING: dict[Reason, dict[str, tuple[str, str]]] = {
    Reason.NOT_READABLE: {
        "en": ("the file cannot be opened", "Check that it is a file and that you may read it."),
        "zh": ("文件无法打开", "请检查其是否为文件以及读取权限。"),
    },
    Reason.UNKNOWN_KIND: {
        "en": ("the file is of no kind that is de-identified", "Use DICOM, NIfTI, PNG, JPEG, TIFF, BMP or WebP."),
        "zh": ("不是可去标识化的文件类型", "请使用 DICOM、NIfTI、PNG、JPEG、TIFF、BMP 或 WebP。"),
    },
    Reason.DAMAGED: {
        "en": ("the file is damaged or truncated", "Export or copy it again."),
        "zh": ("文件损坏或不完整", "请重新导出或复制。"),
    },
    Reason.TOO_LARGE: {
        "en": ("the file, or what it unpacks to, is too large", "Export it in parts."),
        "zh": ("文件或其解压后的内容过大", "请分批导出。"),
    },
    Reason.NESTED_TOO_DEEP: {
        "en": ("sequences are nested too deeply", "Export it again from the system it came from."),
        "zh": ("序列嵌套过深", "请从原系统重新导出。"),
    },
    Reason.OBJECT_NOT_COVERED: {
        "en": ("the rules do not cover what such an object contains", "Export the images instead."),
        "zh": ("规则未涵盖此类对象的内容", "请改为导出图像。"),
    },
    Reason.NO_OBJECT_KIND: {
        "en": ("the file does not say which kind of object it is (SOP Class UID)", "Export it again as an image."),
        "zh": ("文件未说明对象类型（SOP Class UID）", "请重新导出为图像。"),
    },
    Reason.STRUCTURED_REPORT: {
        "en": ("a structured report: its text is not cleaned", "Hand on the images without the report."),
        "zh": ("结构化报告：其文本无法清理", "请只提交图像，不含报告。"),
    },
    Reason.ENCAPSULATED_DOCUMENT: {
        "en": ("an encapsulated document: its content is not cleaned", "Hand on the images without the document."),
        "zh": ("封装文档：其内容无法清理", "请只提交图像，不含文档。"),
    },
    Reason.PRESENTATION: {
        "en": ("a presentation object: it may hold written annotations", "Hand on the images without it."),
        "zh": ("呈现状态对象：可能含文字标注", "请只提交图像。"),
    },
    Reason.WAVEFORM: {
        "en": ("a waveform: it may hold written annotations", "Hand on the images without it."),
        "zh": ("波形对象：可能含文字标注", "请只提交图像。"),
    },
    Reason.DIRECTORY: {
        "en": ("a directory of a medium, which lists patients", "Hand on the image files without DICOMDIR."),
        "zh": ("介质目录（列有患者）", "请提交图像文件，不含 DICOMDIR。"),
    },
    Reason.VIDEO: {
        "en": ("a video, which cannot be searched for writing", "Export single frames."),
        "zh": ("视频，无法检查其中的文字", "请导出单帧图像。"),
    },
    Reason.SLIDE_LABEL: {
        "en": ("the picture shows the label of a slide", "Hand on the slide without its label and overview."),
        "zh": ("图像含玻片标签", "请提交不含标签和概览图的切片。"),
    },
    Reason.SAYS_BURNT_IN: {
        "en": ("the file says that identifying text is in its pixels", "Blank the place with --mask x0,y0,x1,y1."),
        "zh": ("文件声明其像素中含身份信息", "请用 --mask x0,y0,x1,y1 遮盖该处。"),
    },
    Reason.OFTEN_BURNT_IN: {
        "en": (
            "pictures of this kind often have identifying text in their pixels",
            "Blank the place with --mask x0,y0,x1,y1, or look at each picture and say so with --reviewed.",
        ),
        "zh": (
            "此类图像的像素中常含身份信息",
            "请用 --mask x0,y0,x1,y1 遮盖，或逐张查看后加 --reviewed 声明。",
        ),
    },
    Reason.TEXT_SUSPECTED: {
        "en": (
            "there seems to be writing in the pixels",
            "Blank the place with --mask x0,y0,x1,y1, or look at each picture and say so with --reviewed.",
        ),
        "zh": ("像素中疑似有文字", "请用 --mask x0,y0,x1,y1 遮盖，或逐张查看后加 --reviewed 声明。"),
    },
    Reason.NOT_DECODABLE: {
        "en": (
            "the picture cannot be decoded and so not searched for writing",
            "Export it uncompressed, or install a decoder: pip install 'consilium[dicom]'.",
        ),
        "zh": (
            "图像无法解码，因而无法检查文字",
            "请以未压缩格式导出，或安装解码器：pip install 'consilium[dicom]'。",
        ),
    },
    Reason.MASK_DOES_NOT_FIT: {
        "en": ("a mask lies outside the picture", "Give pictures of another size in a run of their own."),
        "zh": ("遮盖区域超出图像", "请将不同尺寸的图像分开处理。"),
    },
    Reason.MASK_NOT_POSSIBLE: {
        "en": ("there are no pixels that a mask could blank", "Give such files in a run without --mask."),
        "zh": ("没有可遮盖的像素", "请将此类文件单独处理，不加 --mask。"),
    },
    Reason.FACE: {
        "en": ("a head scan, from which a face can be drawn", "Remove the face, or choose --faces flag."),
        "zh": ("头部扫描，可重建面容", "请先去除面部，或选择 --faces flag。"),
    },
    Reason.SEVERAL_PICTURES: {
        "en": ("the file holds several pictures, of which some may be labels", "Save each as a file of its own."),
        "zh": ("文件含多幅图像，其中可能有标签", "请将每幅图像另存为单独文件。"),
    },
    Reason.HIDDEN_BITS: {
        "en": ("an overlay lies within the pixels", "Export it without overlays, uncompressed."),
        "zh": ("像素中含叠加层", "请以未压缩且不含叠加层的格式导出。"),
    },
    Reason.STILL_IDENTIFYING: {
        "en": ("something that identifies the patient was still in the result", "Please report the kind of file."),
        "zh": ("结果中仍含身份信息", "请反馈此类文件的类型。"),
    },
    Reason.SAME_NAME: {
        "en": ("another file of the run has the same SOP Instance UID", "Keep one of the two."),
        "zh": ("另有文件使用相同的 SOP Instance UID", "请只保留其中之一。"),
    },
}
"""Reason -> language -> (what, way out)."""


class Refused(NotDeidentified):
    """A file that is not handed on; `reason` says which of the reasons it is."""

    reason: Reason = Reason.DAMAGED


def refused(reason: Reason) -> Refused:
    """The error for a reason."""
    what, way_out = WORDING[reason]["en"]
    error = Refused(what, way_out=way_out)
    error.reason = reason
    return error
